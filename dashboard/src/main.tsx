import { h, render } from 'preact';
import './style/fonts.css';
import './style/tokens.css';
import './style/base.css';
import './style/layout.css';
import './style/panels.css';
import './style/phone.css';
import { follow } from './state/actions';
import { socket } from './state/live';
import { poll, refreshAll } from './state/polls';
import * as store from './state/store';
import { App } from './ui/App';
import { applyTheme } from './ui/theme';

applyTheme();
const root = document.getElementById('app');
if (!root) throw new Error('the page has no #app');
root.replaceChildren();
render(<App />, root);

socket.start();
poll();
setInterval(poll, 250);
setInterval(() => {
  store.tick.value = performance.now();
  follow();
}, 1000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) refreshAll();
});
addEventListener('online', () => socket.retry());
