import { useSignal } from '@preact/signals';
import { h, type ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { anchored, visible } from '../lib/windowing';
import { narrow } from './narrow';

export interface Column<T> {
  title: string;
  /** Grid track: `1fr`, `90px`, `minmax(...)`. */
  width: string;
  right?: boolean;
  /** Left out on a phone. */
  wide?: boolean;
  cell: (row: T) => ComponentChildren;
}

interface Props<T> {
  label: string;
  rows: readonly T[] | null;
  columns: readonly Column<T>[];
  keyOf: (row: T) => string | number;
  /** Height of a row, pixels. */
  height?: number;
  /** Said when there are no rows. */
  empty: ComponentChildren;
  fault?: string | undefined;
  onOpen?: (row: T) => void;
  onEnd?: () => void;
}

/** Narrower than this, pixels, columns that can be missed are left out. */
const SLIM = 680;

function placeOf(element: HTMLElement): { top: number; height: number; width: number } {
  return { top: element.scrollTop, height: element.clientHeight, width: element.clientWidth };
}

/** A table that draws only the rows in view. */
export function Rows<T>(props: Props<T>) {
  const { label, rows, keyOf, height = 34, onOpen, onEnd } = props;
  const box = useRef<HTMLDivElement>(null);
  const place = useSignal({ top: 0, height: 400, width: 1000 });
  const first = useRef<string | number | null>(null);
  const columns = narrow.value || place.value.width < SLIM ? props.columns.filter((it) => !it.wide) : props.columns;
  const tracks = columns.map((it) => it.width).join(' ');
  const count = rows?.length ?? 0;
  const range = visible({ ...place.value, row: height, count });

  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const resized = new ResizeObserver(() => (place.value = placeOf(element)));
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    // Rows that come in above must not move what is being read
    const element = box.current;
    const before = first.current;
    first.current = rows?.[0] ? keyOf(rows[0]) : null;
    if (!element || before === null || before === first.current || element.scrollTop <= 1) return;
    const added = rows?.findIndex((it) => keyOf(it) === before) ?? -1;
    if (added > 0) element.scrollTop = anchored(element.scrollTop, added, height);
  }, [rows]);
  useEffect(() => {
    if (onEnd && count > 0 && range.end >= count) onEnd();
  }, [range.end, count]);

  const onScroll = (): void => {
    const element = box.current;
    if (element) place.value = placeOf(element);
  };
  return (
    <div class="rows" role="table" aria-label={label} aria-rowcount={count + 1} ref={box} onScroll={onScroll} tabIndex={count * height > place.value.height ? 0 : undefined}>
      <div class="line head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: tracks }}>
        {columns.map((it) => <span key={it.title} role="columnheader" class={it.right ? 'right' : ''}>{it.title}</span>)}
      </div>
      {rows === null && <p class="empty">{props.fault ?? 'Loading…'}</p>}
      {rows !== null && count === 0 && <p class="empty">{props.empty}</p>}
      <div class="canvas" style={{ height: `${count * height}px` }} role="rowgroup">
        {rows?.slice(range.first, range.end).map((row, index) => (
          <Line key={keyOf(row)} row={row} at={range.first + index} height={height} tracks={tracks} columns={columns} onOpen={onOpen} />
        ))}
      </div>
    </div>
  );
}

interface LineProps<T> {
  row: T;
  at: number;
  height: number;
  tracks: string;
  columns: readonly Column<T>[];
  onOpen: ((row: T) => void) | undefined;
}

function Line<T>({ row, at, height, tracks, columns, onOpen }: LineProps<T>) {
  const open = onOpen && ((): void => onOpen(row));
  const onKey = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || (event.key !== 'Enter' && event.key !== ' ')) return;
    event.preventDefault();
    open?.();
  };
  return (
    <div
      class={`line ${open ? 'opens' : ''}`}
      role="row"
      aria-rowindex={at + 2}
      tabIndex={open ? 0 : undefined}
      style={{ gridTemplateColumns: tracks, height: `${height}px`, transform: `translateY(${at * height}px)` }}
      onClick={open}
      onKeyDown={open && onKey}
    >
      {columns.map((it) => <span key={it.title} role="cell" class={it.right ? 'right' : ''}>{it.cell(row)}</span>)}
    </div>
  );
}
