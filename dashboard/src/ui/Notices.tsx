import { h } from 'preact';
import { dismiss, notices } from '../state/actions';

const WORDS = { sending: 'Sending', taken: 'In progress', done: 'Done', failed: 'Failed' };

/** What became of the commands that were given. */
export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map((it) => (
        <div key={it.id} class={`notice ${it.phase}`}>
          <div>
            <strong>{it.title}</strong>
            <span class="phase">{WORDS[it.phase]}</span>
            <p>{it.text}</p>
            {it.again && <button type="button" class="btn" onClick={it.again}>Try again</button>}
          </div>
          <button type="button" class="quiet" aria-label={`Dismiss: ${it.title}`} onClick={() => dismiss(it.id)}>×</button>
        </div>
      ))}
    </div>
  );
}
