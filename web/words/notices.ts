/** Words of notices that the browser shows. */
export const notices = {
  on: 'Tell me in the browser when something needs me',
  off: 'Stop telling me in the browser',
  denied: 'The browser does not allow notices from this page; its settings for this site change that.',
  none: 'This browser has no notices here; they need https or localhost.',
  title: 'Banyan needs you',
} as const
