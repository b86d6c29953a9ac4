/** How grave a line of the log is, the least first. By itself, because the page's addresses know it before any schema is loaded. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]
