/** Keeps the page within its limit of JavaScript: what no chart here uses is left out of the build. */

import { minify } from 'terser';
import type { Plugin } from 'vite';

/** Only references to parts of uPlot that nothing else uses. */
const UNUSED_PLOTS = [
  '(paths.stepped = stepped);', '(paths.bars    = bars);', '(paths.spline  = monotoneCubic);', 'uPlot.join = join;',
];

/**
 * Text within classes of lightweight-charts that have nothing to do here, and the body they keep:
 * the logo, which the page draws itself because a strict policy forbids its inline style, and
 * conflation of bars, which is off.
 */
const UNUSED_CHARTS = [
  ['tv-attr-logo', '{Pt(){}}'],
  ['{constructor(){this.br=new WeakMap}', '{}'],
] as const;

/** Fails when a library changes, instead of letting the page grow or break. */
export function withoutUnused(): Plugin {
  return {
    name: 'without-unused',
    transform(code, id) {
      if (id.endsWith('uPlot.esm.js')) return UNUSED_PLOTS.reduce(without, code);
      if (id.includes('lightweight-charts')) return UNUSED_CHARTS.reduce((rest, [marker, body]) => hollow(rest, marker, body), code);
      return null;
    },
  };
}

function without(code: string, part: string): string {
  if (!code.includes(part)) throw new Error(`the library no longer holds "${part}"`);
  return code.replace(part, '');
}

/** Gives the class that holds a text another body. */
function hollow(code: string, marker: string, body: string): string {
  const at = code.indexOf(marker);
  for (let from = code.lastIndexOf('class ', at); from >= 0; from = code.lastIndexOf('class ', from - 1)) {
    const open = code.indexOf('{', from);
    const close = endOf(code, open);
    if (open <= at && close > at) return code.slice(0, open) + body + code.slice(close + 1);
  }
  throw new Error(`the library has no class with "${marker}"`);
}

/** Index of the brace that closes the one at `open`. */
function endOf(code: string, open: number): number {
  let depth = 0;
  for (let at = open; at < code.length; at += 1) {
    if (code[at] === '{') depth += 1;
    if (code[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

/** A first minifier, whose inlining and shorter private names the bundler's own does not do. */
export function shortened(): Plugin {
  return {
    name: 'shortened',
    apply: 'build',
    async renderChunk(code) {
      const { code: short } = await minify(code, {
        ecma: 2020,
        module: true,
        compress: { passes: 3, pure_getters: true, unsafe_arrows: true, unsafe_methods: true, keep_infinity: true, keep_fargs: false, unsafe_comps: true },
        // Private names of the libraries; no name in the API's JSON begins so
        mangle: { properties: { regex: /^_[a-zA-Z]{4,}$/ } },
      });
      return short === undefined ? null : { code: short, map: null };
    },
  };
}
