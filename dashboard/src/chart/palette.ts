/** Colours of the charts, read from the style sheet so that a theme is written once. */

export interface Palette {
  text: string;
  faint: string;
  grid: string;
  line: string;
  surface: string;
  up: string;
  down: string;
  accent: string;
  warn: string;
  sma20: string;
  sma50: string;
  sma200: string;
  band: string;
  neutral: string;
}

export function palette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    text: of('text'), faint: of('text-2'), grid: of('grid'), line: of('line'), surface: of('surface'),
    up: of('up'), down: of('down'), accent: of('accent'), warn: of('warn'), neutral: of('neutral'),
    sma20: of('sma20'), sma50: of('sma50'), sma200: of('sma200'), band: of('band'),
  };
}

/** A `#rrggbb` colour with an alpha in [0, 1]. */
export function faded(color: string, alpha: number): string {
  return `${color}${Math.round(alpha * 255).toString(16).padStart(2, '0')}`;
}
