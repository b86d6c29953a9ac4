/** Words of the view that somebody without a session sees. */
export const signedOut = {
  title: 'You are not logged in',
  withProvider: (name: string) => `Sign in with ${name}`,
  token: 'Admin token',
  tokenHint: 'It is in the file admin-token of the data folder where Banyan runs, unless ADMIN_TOKEN was set to another one.',
  logIn: 'Log in',
  busy: 'Logging in…',
  or: 'Or, on the machine where Banyan runs:',
  link: "in Banyan's checkout prints a link that logs this browser in, once.",
  done: 'I have logged in',
}
