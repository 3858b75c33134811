/** Text of numbers and times. Unknown is a dash, never 0; minus is U+2212, so that columns align. */

import type { Maybe } from '../api/types';

export const DASH = '–';
const MINUS = '−';

const formats = new Map<string, Intl.NumberFormat>();

function grouped(value: number, least: number, most: number): string {
  const key = `${least}:${most}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat('en-US', {
      minimumFractionDigits: least,
      maximumFractionDigits: most,
    });
    formats.set(key, format);
  }
  return format.format(value);
}

function known(value: Maybe<number>): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function withMinus(text: string): string {
  // A rounded "-0.00" is 0.00
  if (text.startsWith('-')) return /[1-9]/.test(text) ? MINUS + text.slice(1) : text.slice(1);
  return text;
}

/** A plain number with a fixed count of decimals. */
export function number(value: Maybe<number>, decimals = 2): string {
  return known(value) ? withMinus(grouped(value, decimals, decimals)) : DASH;
}

/** A number with its sign, also when positive. */
export function signed(value: Maybe<number>, decimals = 2): string {
  if (!known(value)) return DASH;
  const text = number(value, decimals);
  return text.startsWith(MINUS) || !/[1-9]/.test(text) ? text : `+${text}`;
}

/** A fraction as a percentage: 0.15 is 15%. */
export function percent(value: Maybe<number>, decimals = 1): string {
  return known(value) ? `${number(value * 100, decimals)}%` : DASH;
}

/** A limit as a percentage, without decimals it does not need. */
export function limitPercent(value: Maybe<number>): string {
  return known(value) ? `${grouped(value * 100, 0, 2)}%` : DASH;
}

export function signedPercent(value: Maybe<number>, decimals = 1): string {
  return known(value) ? `${signed(value * 100, decimals)}%` : DASH;
}

/** Decimals that show a price to about five digits, for instruments that do not say. */
export function decimalsFor(price: Maybe<number>): number {
  if (!known(price) || price === 0) return 2;
  const magnitude = Math.floor(Math.log10(Math.abs(price)));
  return Math.min(12, Math.max(2, 4 - magnitude));
}

export function price(value: Maybe<number>, decimals: Maybe<number>): string {
  return number(value, decimals ?? decimalsFor(value));
}

/** A size in base units to about six digits, so that BONK and BTC both read well. */
export function size(value: Maybe<number>): string {
  if (!known(value)) return DASH;
  const absolute = Math.abs(value);
  if (absolute >= 10_000) return number(value, 0);
  if (absolute >= 1000) return number(value, 1);
  if (absolute >= 1) return withMinus(grouped(value, 2, 3));
  return withMinus(grouped(value, 2, 6));
}

/** A big count in few characters: 14.04K. */
export function compact(value: Maybe<number>): string {
  if (!known(value)) return DASH;
  const absolute = Math.abs(value);
  for (const [scale, letter] of [[1e9, 'B'], [1e6, 'M'], [1e3, 'K']] as const) {
    if (absolute >= scale) return `${number(value / scale, 2)}${letter}`;
  }
  return number(value, absolute >= 100 ? 0 : 2);
}

/** Microseconds in the unit that reads best. */
export function micros(value: Maybe<number>): string {
  if (!known(value)) return DASH;
  if (value < 10) return `${number(value, 1)} µs`;
  if (value < 1000) return `${number(value, 0)} µs`;
  if (value < 1_000_000) return `${number(value / 1000, value < 10_000 ? 1 : 0)} ms`;
  return `${number(value / 1_000_000, 1)} s`;
}

/** Seconds as people say them: 0.4 s, 41 s, 4 m 10 s, 1 h 12 m, 3 d 4 h. */
export function duration(seconds: Maybe<number>): string {
  if (!known(seconds)) return DASH;
  const positive = Math.max(0, seconds);
  if (positive < 1) return `${grouped(positive, 1, 1)} s`;
  const whole = Math.floor(positive);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return join(Math.floor(whole / 60), 'm', whole % 60, 's');
  if (whole < 86_400) return join(Math.floor(whole / 3600), 'h', Math.floor((whole % 3600) / 60), 'm');
  return join(Math.floor(whole / 86_400), 'd', Math.floor((whole % 86_400) / 3600), 'h');
}

function join(big: number, bigUnit: string, small: number, smallUnit: string): string {
  return small ? `${big} ${bigUnit} ${small} ${smallUnit}` : `${big} ${bigUnit}`;
}

/** Unix milliseconds of what the API calls a time: ISO text, or Unix seconds. */
export function millis(time: Maybe<string | number>): number | null {
  if (typeof time === 'number') return Number.isFinite(time) ? time * 1000 : null;
  if (typeof time !== 'string') return null;
  const parsed = Date.parse(time);
  return Number.isNaN(parsed) ? null : parsed;
}

/** UTC date and minute: 2024-06-28 14:45. */
export function minute(time: Maybe<string | number>): string {
  const at = millis(time);
  return at === null ? DASH : new Date(at).toISOString().slice(0, 16).replace('T', ' ');
}

/** UTC date and second: 2024-06-28 14:45:07. */
export function second(time: Maybe<string | number>): string {
  const at = millis(time);
  return at === null ? DASH : new Date(at).toISOString().slice(0, 19).replace('T', ' ');
}

/** Month, day and minute: enough in a table. */
export function moment(time: Maybe<string | number>): string {
  const at = millis(time);
  return at === null ? DASH : new Date(at).toISOString().slice(5, 16).replace('T', ' ');
}

export function hourMinute(time: Maybe<string | number>): string {
  const at = millis(time);
  return at === null ? DASH : new Date(at).toISOString().slice(11, 16);
}

/** A sentence of the API, its names in plain words. */
export function plain(text: Maybe<string>): string {
  return text?.replaceAll('_', ' ') ?? '';
}

/** Names of the API in plain words: LOW_PARTICIPATION is low participation. */
export function words(name: Maybe<string>): string {
  return name ? name.replaceAll('_', ' ').toLowerCase() : DASH;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A value of unknown kind, for the numbers behind an alert. */
export function anything(value: unknown): string {
  if (value === null || value === undefined) return DASH;
  if (typeof value === 'number') return withMinus(grouped(value, 0, 8));
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  return JSON.stringify(value);
}
