/** Hands what every part uses to the page that the address names; the frame around it is `shell/shell.tsx`. */
import { type QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { Tooltip } from 'radix-ui'
import { Banyan, type Parts } from './banyan.ts'
import type { createPageRouter } from './routes.tsx'

export function App(props: { parts: Parts; queries: QueryClient; router: ReturnType<typeof createPageRouter> }) {
  return (
    <Banyan value={props.parts}>
      <QueryClientProvider client={props.queries}>
        <Tooltip.Provider delayDuration={400} skipDelayDuration={200}>
          <RouterProvider router={props.router} />
        </Tooltip.Provider>
      </QueryClientProvider>
    </Banyan>
  )
}
