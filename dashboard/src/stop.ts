/**
 * The emergency stop. It shares nothing with the rest of the page but the key: no framework, no
 * socket, no state, so that it works when they do not.
 */

import { actionKey, keyHeader, readKey } from './api/key';

const PATH = '/api/v1/emergency_stop';
/** The API itself waits 10 s for the trading process. */
const TIMEOUT_MS = 15_000;
const WHAT =
  'Sells every position at market, cancels what can be cancelled, and refuses entries until a reset.';

const dialog = byId('emergency') as HTMLDialogElement;
const yes = byId('emergency-yes') as HTMLButtonElement;
const no = byId('emergency-no') as HTMLButtonElement;
const what = byId('emergency-what');
const said = byId('emergency-said');
/** Names this stop: an attempt whose answer got lost, and the next one, are one command. */
let action = '';

function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no element ${id}`);
  return element;
}

function open(): void {
  if (dialog.open) return;
  action = actionKey();
  // The page leaves a sentence about what is held here; without it the general one stands
  what.textContent = document.body.dataset['stopWhat'] || WHAT;
  said.textContent = '';
  said.className = '';
  yes.disabled = false;
  yes.textContent = 'Stop everything now';
  no.textContent = 'Keep running';
  dialog.showModal();
  yes.focus();
}

async function stop(): Promise<void> {
  yes.disabled = true;
  said.className = '';
  said.textContent = 'Sending the stop…';
  try {
    const answer = await fetch(PATH, {
      method: 'POST',
      headers: { ...keyHeader(), 'Idempotency-Key': action, Accept: 'application/json' },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (!answer.ok) {
      // A refusal is remembered under its name, so that the next attempt needs another
      if (answer.status < 500) action = actionKey();
      throw new Error(await reason(answer));
    }
    said.className = 'good';
    said.textContent = 'Taken: positions are being sold and no entry will follow until a reset.';
    no.textContent = 'Close';
    no.focus();
    document.dispatchEvent(new CustomEvent('utb:stopped'));
  } catch (error) {
    said.className = 'bad';
    said.textContent =
      `Not stopped: ${(error as Error).message}. Try again, or run \`utb emergency-stop\` on the machine.`;
    yes.disabled = false;
    yes.textContent = 'Try again';
    yes.focus();
  }
}

async function reason(answer: Response): Promise<string> {
  if (answer.status === 401) {
    return readKey() ? 'the API key was not accepted' : 'the API asks for a key';
  }
  const body: unknown = await answer.json().catch(() => null);
  const message = (body as { error?: { message?: string } } | null)?.error?.message;
  return message ?? `the API answered ${answer.status}`;
}

function typing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest('input, textarea, select') !== null;
}

document.addEventListener('click', (event) => {
  if (event.target instanceof Element && event.target.closest('[data-emergency]')) open();
});
document.addEventListener('keydown', (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.shiftKey && plain && event.code === 'KeyE' && !typing(event.target)) {
    event.preventDefault();
    open();
  }
});
yes.addEventListener('click', () => void stop());
no.addEventListener('click', () => dialog.close());
