/** Builds the page into `web/dist`. Nothing is inlined, so that a policy without inline scripts and styles holds. */
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: import.meta.dirname,
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // The contract's zod schemas are made at import and the page uses only its types and pure functions: without this, all of zod comes along.
      treeshake: { manualPureFunctions: ['z'] },
    },
  },
})
