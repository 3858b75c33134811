import { h } from 'preact';
import { useSignal } from '@preact/signals';
import { Dialog } from './Dialog';
import { question, type Question } from './ask';

const FRACTIONS = [0.25, 0.5, 0.75, 1];

/** Asks once, says what will happen. */
export function Asking() {
  const asked = question.value;
  return asked && <Asked key={asked.title} asked={asked} />;
}

function Asked({ asked }: { asked: Question }) {
  const fraction = useSignal(1);
  const close = (): void => {
    question.value = null;
  };
  const act = (): void => {
    close();
    asked.act(fraction.value);
  };
  return (
    <Dialog title={asked.title} onClose={close}>
      <h2>{asked.title}</h2>
      {asked.fractions && (
        <fieldset class="fractions">
          <legend>How much</legend>
          {FRACTIONS.map((part) => (
            <label key={part}>
              <input type="radio" name="fraction" checked={fraction.value === part} onChange={() => (fraction.value = part)} />
              <span>{part === 1 ? 'All' : `${part * 100}%`}</span>
            </label>
          ))}
        </fieldset>
      )}
      <p>{asked.what(fraction.value)}</p>
      <div class="row">
        <button type="button" class="btn" onClick={close}>Cancel</button>
        <button type="button" class="btn primary" data-first onClick={act}>{asked.yes}</button>
      </div>
    </Dialog>
  );
}
