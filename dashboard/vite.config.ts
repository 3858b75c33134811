import { readFileSync } from 'node:fs';
import { defineConfig, type Plugin } from 'vite';
import { shortened, withoutUnused } from './build/slim.ts';

/** Libraries whose code or font is in the built page, with the file that holds their terms. */
const BUNDLED = [
  ['preact', 'LICENSE'],
  ['@preact/signals', 'LICENSE'],
  ['@preact/signals-core', 'LICENSE'],
  ['lightweight-charts', 'LICENSE'],
  ['uplot', 'LICENSE'],
  ['@fontsource-variable/inter', 'LICENSE'],
] as const;

/** The notice that lightweight-charts asks for; its package does not hold the file. */
const NOTICE = 'TradingView Lightweight Charts\nCopyright (c) 2025 TradingView, Inc. https://www.tradingview.com/\n';

/** Ships the terms of everything bundled beside the page. */
function licenses(): Plugin {
  return {
    name: 'licenses',
    generateBundle() {
      const texts = BUNDLED.map(([name, file]) => {
        const text = readFileSync(new URL(`node_modules/${name}/${file}`, import.meta.url), 'utf8');
        return `${name} (${file})\n\n${text.trim()}\n`;
      });
      this.emitFile({ type: 'asset', fileName: 'licenses.txt', source: [NOTICE, ...texts].join('\n---\n\n') });
    },
  };
}

/** Puts the emergency stop in a script of its own, before the page's, whatever becomes of that. */
function stopFirst(): Plugin {
  let built = false;
  return {
    name: 'stop-first',
    configResolved: (config) => void (built = config.command === 'build'),
    transformIndexHtml: {
      order: 'post',
      handler: () => [
        {
          tag: 'script',
          attrs: { type: 'module', src: built ? '/dashboard/stop.js' : '/dashboard/src/stop.ts' },
          injectTo: 'head-prepend',
        },
      ],
    },
  };
}

// The API a development page talks to: `python tests/browser/stage.py`, or a real `utb serve`.
const api = process.env['UTB_API'] ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/dashboard/',
  // Calls of `h` are shorter than those of the automatic runtime
  oxc: { jsx: { runtime: 'classic', pragma: 'h', pragmaFrag: 'Fragment' } },
  plugins: [licenses(), withoutUnused(), stopFirst(), shortened()],
  server: {
    proxy: { '/api': api, '/health': api, '/ws': { target: api, ws: true } },
  },
  build: {
    outDir: '../python/utb/web',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    minify: 'oxc',
    reportCompressedSize: false,
    // Names without a hash, outside `assets/` which is cached for ever: the committed files change
    // in place, and the server sends an ETag
    rolldownOptions: {
      input: { index: 'index.html', stop: 'src/stop.ts' },
      treeshake: { propertyReadSideEffects: false, unknownGlobalSideEffects: false },
      output: {
        entryFileNames: '[name].js',
        chunkFileNames: '[name].js',
        assetFileNames: '[name][extname]',
      },
    },
  },
});
