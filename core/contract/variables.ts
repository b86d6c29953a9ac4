/** Which variables of its environment a command may be given by an agent. Pure. */

/** Variables that change which code a program runs, whom it trusts or what it may reach, instead of being read by it. */
const STEERING =
  /^(PATH|HOME|SHELL|IFS|ENV|CDPATH|TMPDIR|PS4|PROMPT_COMMAND|BASH.*|SHELLOPTS|ZDOTDIR|LD_.*|DYLD_.*|GCONV_PATH|LOCPATH|NLSPATH|NODE_(OPTIONS|PATH|EXTRA_CA_CERTS|REPL_.*|TLS_.*)|NPM_CONFIG_.*|YARN_.*|PYTHON(PATH|HOME|STARTUP|INSPECT|BREAKPOINT|WARNINGS|USERBASE|EXECUTABLE)|PERL5.*|PERLLIB|PERL_.*|RUBY(OPT|LIB)|GEM_.*|BUNDLE_.*|.*JAVA_(TOOL_)?OPTIONS|CLASSPATH|PHPRC|PHP_INI_SCAN_DIR|LUA_(INIT|PATH|CPATH).*|AWK(PATH|LIBPATH)|MAKEFLAGS|MAKEFILES|GIT_(?!(AUTHOR|COMMITTER)_(NAME|EMAIL|DATE)$).*|SSH_.*|.*_?PAGER|EDITOR|VISUAL|BROWSER|LESS(OPEN|CLOSE)|TERMINFO.*|.*_PROXY|SSL_CERT_.*|CURL_.*|REQUESTS_CA_BUNDLE|RUSTC.*|CARGO_.*|GO(FLAGS|PROXY|PATH|ROOT|TOOLCHAIN))$/i
const MOST = 50
const MOST_CHARACTERS = 8_000

/** Why they are refused, as one sentence with the mend; null: they are not. */
export function refusedVariables(env: Readonly<Record<string, string>>, secrets: readonly string[]): string | null {
  const names = Object.keys(env)
  if (names.length > MOST) return `A command is given ${MOST} variables at most, not ${names.length}; put the rest into a file.`
  for (const name of names) {
    const shown = name.slice(0, 64)
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(name))
      return `"${shown}" is no name of a variable: letters, digits and _, a letter first, 64 at most.`
    if (STEERING.test(name))
      return `The variable ${shown} is not for you to set: it steers which code programs run or what they may reach. Use an option of the program instead.`
    if (secrets.includes(name)) return `${shown} is named in "secrets" too; give it in one of the two.`
    if (env[name]!.includes('\0')) return `The variable ${shown} holds a NUL character, which no variable can.`
    if (env[name]!.length > MOST_CHARACTERS)
      return `The variable ${shown} is longer than ${MOST_CHARACTERS} characters; put the text into a file or into "stdin".`
  }
  return null
}
