/** Words of the view that somebody without a session sees. */
export const login = {
  title: 'You are not logged in',
  back: 'After that you are back on this page.',
  withProvider: (name: string) => `Sign in with ${name}`,
  orToken: 'or with the admin token',
  token: 'Admin token',
  tokenHint: 'It is in the file admin-token of the data folder where Banyan runs, unless ADMIN_TOKEN was set to another one.',
  logIn: 'Log in',
  busy: 'Logging in…',
  noToken: 'No token at hand?',
  link: 'On the machine where Banyan runs, in its checkout, this prints a link that logs a browser in, once:',
  done: 'I have logged in',
} as const
