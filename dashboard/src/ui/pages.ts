/** The three pages of a phone; on a desk they stand beside each other. */

import { signal } from '@preact/signals';
import { openTab } from '../state/polls';
import type { Tab } from '../state/store';

export const TRADING = 1;
export const page = signal(TRADING);

function track(): HTMLElement | null {
  return document.querySelector('.pages');
}

export function showPage(index: number): void {
  const it = track();
  it?.scrollTo({ left: index * it.clientWidth });
}

/** Opens a list wherever the page is. */
export function showTab(name: Tab): void {
  openTab(name);
  showPage(TRADING);
  document.getElementById('held')?.scrollIntoView({ block: 'nearest' });
}
