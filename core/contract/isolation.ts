/** The setting ISOLATION. `auto`: the sandbox where there is one, else plain; the others: that level, or the command is not started. */
export const ISOLATION_CHOICES = ['auto', 'sandbox', 'container', 'plain'] as const
export type IsolationChoice = (typeof ISOLATION_CHOICES)[number]
