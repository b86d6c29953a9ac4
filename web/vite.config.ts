/** Builds the page into `web/dist`. Nothing is inlined, so that a policy without inline scripts and styles holds. */
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'
import * as contract from '../core/contract/api.ts'

/**
 * The page needs of the contract's table of routes only methods and paths; its schemas would bring all of zod along. So the page is built
 * with that much of `core/contract/api.ts`. What is not data (the schemas) is not there, and an import of it fails the build.
 */
function routesWithoutSchemas(): Plugin {
  const routes = Object.fromEntries(Object.entries(contract.ROUTES).map(([name, { method, path }]) => [name, { method, path }]))
  const plain = Object.entries(contract).filter(([, value]) => typeof value === 'number' || typeof value === 'string')
  const code = Object.entries({ ...Object.fromEntries(plain), ROUTES: routes })
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value)}`)
    .join('\n')
  return {
    name: 'routes-without-schemas',
    enforce: 'pre',
    load: (id) => (id.endsWith('/core/contract/api.ts') ? { code, moduleType: 'js' } : null),
  }
}

export default defineConfig({
  root: import.meta.dirname,
  plugins: [routesWithoutSchemas(), react()],
  // The server puts each answer's own nonce in this place (`core/http/page.ts`).
  html: { cspNonce: '__NONCE__' },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // The contract's other zod schemas are made at import and the page uses only types and pure functions beside them.
      treeshake: { manualPureFunctions: ['z'] },
    },
  },
})
