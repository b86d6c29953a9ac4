/**
 * The door to git repositories of goals. Each is kept bare in DATA_DIR/repositories/<tree>/<name>.git, outside every workspace, so no command
 * of an agent can write its settings, hooks, references or objects. A task that works on one has a work tree of its own in its workspace, on
 * the branch `agent/<task>`.
 *
 * Who does what: files of a work tree are read and written by git running as the user that commands run as, with an index and an object
 * folder of its own; so a link that is swapped in on the way leads nowhere that a command could not go. References are moved by the
 * runtime's own user, which never touches a work tree; new objects come over as a pack and are checked on the way in.
 */
import { cloning } from './clone.ts'
import { reading } from './read.ts'
import type { Asker, Repositories, RepositoriesOptions, TaskGit } from './shapes.ts'
import { openShelf } from './shelf.ts'
import { tidy } from './tidy.ts'
import { worktreesOf } from './worktrees.ts'
import { writing } from './write.ts'

/** Opens the repositories of one DATA_DIR; call `stop` at the end, so that no git goes on alone. */
export function openRepositories(options: RepositoriesOptions): Repositories {
  const shelf = openShelf(options)
  return {
    forTask(asker: Asker): TaskGit {
      const worktrees = worktreesOf(shelf, asker)
      return { ...reading(shelf, asker, worktrees), ...writing(shelf, asker, worktrees), ...cloning(shelf, asker, worktrees) }
    },
    tidy: (isOver, only) => tidy(shelf, isOver, only),
    stop: () => shelf.git.stop(),
  }
}
