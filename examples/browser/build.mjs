/**
 * Builds the page into `examples/browser/site`: three static files that any web server, or a double click, shows.
 *
 * Run: `npm run page`.
 */
import { cpSync, mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))

mkdirSync(here('site'), { recursive: true })
for (const file of ['index.html', 'page.css']) cpSync(here(file), here(`site/${file}`))
await build({
  entryPoints: [here('src/main.ts')],
  outfile: here('site/page.js'),
  bundle: true,
  format: 'iife',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  logLevel: 'warning',
})
console.log(`open ${here('site/index.html')}`)
