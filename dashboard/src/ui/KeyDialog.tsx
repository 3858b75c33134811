import { h } from 'preact';
import { useSignal } from '@preact/signals';
import { keepKey } from '../api/key';
import { ApiError, get } from '../api/http';
import { socket } from '../state/live';
import { refreshAll } from '../state/polls';
import * as store from '../state/store';
import { Dialog } from './Dialog';

/** Asks for the API key when the API does. */
export function KeyDialog() {
  return store.needsKey.value && <KeyForm />;
}

function KeyForm() {
  const key = useSignal('');
  const said = useSignal('');
  const enter = async (event: Event): Promise<void> => {
    event.preventDefault();
    const text = key.value.trim();
    if (!text) return;
    keepKey(text);
    said.value = 'Checking…';
    try {
      await get('/api/v1/status');
      store.needsKey.value = null;
      refreshAll();
      socket.retry();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      said.value = error.status === 401 ? 'The API does not know this key.' : `Not checked: ${error.message}.`;
    }
  };
  return (
    // Nothing of the page works without a key, so this does not close by itself; the stop is in it
    <Dialog title="API key" onClose={null}>
      <form onSubmit={enter}>
        <h2>API key</h2>
        <p>This bot answers with a key only. It is kept in this tab and forgotten when the tab closes.</p>
        <label class="field">
          <span>Key</span>
          <input type="password" name="key" autocomplete="off" spellcheck={false} data-first value={key.value} onInput={(event) => (key.value = event.currentTarget.value)} />
        </label>
        <p role="status" class="bad">{said.value}</p>
        <div class="row">
          <button type="button" class="btn stop" data-emergency>Emergency stop</button>
          <button type="submit" class="btn primary">Open</button>
        </div>
      </form>
    </Dialog>
  );
}
