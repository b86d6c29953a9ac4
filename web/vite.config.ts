/** Builds the page into `web/dist`. Nothing is inlined, so that a policy without inline scripts and styles holds. */
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import type { ROUTES } from '../core/contract/api.ts'

/**
 * Of `core/contract/api*.ts` the page needs only plain data: words, numbers, lists of them, and of the table of routes methods and paths.
 * Their schemas would bring all of zod along, so the page is built with that much of them. What is no data is not there, and an import of
 * it fails the build.
 */
function contractWithoutSchemas(): Plugin {
  const plain = (value: unknown): boolean => ['string', 'number'].includes(typeof value) || (Array.isArray(value) && value.every(plain))
  return {
    name: 'contract-without-schemas',
    enforce: 'pre',
    async load(id) {
      if (!/\/core\/contract\/api[a-z-]*\.ts$/.test(id)) return null
      const file: Record<string, unknown> = await import(id)
      const data = Object.fromEntries(Object.entries(file).filter(([, value]) => plain(value)))
      if (file.ROUTES)
        data.ROUTES = Object.fromEntries(
          Object.entries(file.ROUTES as typeof ROUTES).map(([name, { method, path }]) => [name, { method, path }]),
        )
      const code = Object.entries(data).map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`)
      return { code: code.join('\n'), moduleType: 'js' }
    },
  }
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [contractWithoutSchemas(), react()],
  // The server puts each answer's own nonce in this place (`core/http/page.ts`).
  html: { cspNonce: '__NONCE__' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    // In kB as they are; what travels is measured against its budgets in scripts/bench/page.ts. A warning at each start of a user helps nobody.
    chunkSizeWarningLimit: 700,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // The contract's other zod schemas are made at import and the page uses only types and pure functions beside them.
      treeshake: { manualPureFunctions: ['z'] },
    },
  },
})
