import { h, type ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** A modal dialog that is open as long as it is drawn; one without `onClose` cannot be left. */
export function Dialog(
  { title, kind = '', onClose, children }: { title: string; kind?: string; onClose: (() => void) | null; children: ComponentChildren },
) {
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    dialog?.querySelector<HTMLElement>('[data-first]')?.focus();
    return () => dialog?.close();
  }, []);
  const onClick = (event: MouseEvent): void => {
    if (event.target === element.current) onClose?.();
  };
  const closed = (): void => {
    if (onClose) onClose();
    else element.current?.showModal();
  };
  return (
    <dialog ref={element} class={kind} aria-label={title} onClick={onClick} onClose={closed}>
      {children}
    </dialog>
  );
}
