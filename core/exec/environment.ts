/** What a command finds in its environment: built from nothing, never a copy of the runtime's, which holds keys and tokens. Pure. */

export type HostEnvironment = { PATH?: string | undefined; LANG?: string | undefined }

/**
 * PATH and LANG of the machine and what `extra` names; nothing else. HOME and TMPDIR are added for each command (see `workspaceEnvironment`),
 * because they lie in the workspace it works in.
 */
export function builtEnvironment(host: HostEnvironment, extra: Readonly<Record<string, string>> = {}): Record<string, string> {
  return { PATH: host.PATH || '/usr/local/bin:/usr/bin:/bin', LANG: host.LANG || 'C.UTF-8', ...extra }
}

/** HOME is the workspace, so caches and dot files stay in it; temporary files go into its `.tmp`. What `given` names stays as given. */
export function workspaceEnvironment(workspace: string, given: Readonly<Record<string, string>>): Record<string, string> {
  const HOME = given.HOME ?? workspace
  return { ...given, HOME, TMPDIR: given.TMPDIR ?? `${HOME.replace(/\/+$/, '')}/.tmp` }
}
