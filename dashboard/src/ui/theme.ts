/** Dark or light: the system's choice until the switch is used. */

import { signal } from '@preact/signals';

export type Theme = 'dark' | 'light';

const NAME = 'utb.theme';
const system = matchMedia('(prefers-color-scheme: light)');

function kept(): Theme | null {
  try {
    const name = localStorage.getItem(NAME);
    return name === 'dark' || name === 'light' ? name : null;
  } catch {
    // Storage can be forbidden: the system's choice it is
    return null;
  }
}

export const theme = signal<Theme>(kept() ?? (system.matches ? 'light' : 'dark'));

export function applyTheme(): void {
  document.documentElement.dataset['theme'] = theme.value;
}

export function switchTheme(): void {
  theme.value = theme.value === 'dark' ? 'light' : 'dark';
  applyTheme();
  try {
    localStorage.setItem(NAME, theme.value);
  } catch {
    return;
  }
}

system.addEventListener('change', () => {
  if (kept()) return;
  theme.value = system.matches ? 'light' : 'dark';
  applyTheme();
});
