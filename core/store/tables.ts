/**
 * Every table as Kysely sees it. Times are milliseconds since 1970, money is millionths of a dollar, lists and objects are JSON text,
 * flags are 0 or 1: SQLite and PostgreSQL then store the same values. `store.suite.ts` compares this with the real database.
 */
export type Database = {
  schema_migrations: { number: number; name: string; at: number }
  /** `oldest_code`: the lowest schema number whose code may still run on this database. */
  meta: { key: string; value: string }
  trees: {
    id: string
    goal: string
    mode: string
    /** `task`: a folder for each task; `shared`: one for all. */
    workspace: string
    limits: string
    /** Settled spend; equals the sum of the tree's settled `model_calls`. */
    turns: number
    tokens: number
    cost_micros: number
    unpriced_calls: number
    /** Held for calls that are under way. */
    reserved_turns: number
    reserved_tokens: number
    reserved_cost_micros: number
    tasks: number
    paused_reason: string | null
    paused_at: number | null
    /** First claim; moved forward by the time spent paused, so that it measures wall time at work. */
    started_at: number | null
    submitted_by: string
    idempotency_key: string | null
    request_hash: string | null
    /** How much of what its agents do is put before a person. */
    approval: string
    /** What answers for its agents in place of their default; null: as they are set. */
    model: string | null
    /** `open`: nothing may be done before a person approves a plan; `frozen`: what was approved is done, and additions are asked about. */
    plan: string | null
    /** The goal that this one was made from. */
    forked_from: string | null
    /** The first ask of the conversation that it belongs to; null: it is a goal and no ask. */
    conversation: string | null
    /** 2: the watchdog waits twice as long with its tasks. 0: it leaves them alone. */
    watched: number
    created_at: number
  }
  tasks: {
    id: string
    tree_id: string
    parent_id: string | null
    call_id: string | null
    kind: string
    agent: string
    title: string
    instruction: string
    /** Normalised and hashed: what the cycle check compares. */
    instruction_hash: string
    origin: string
    status: string
    reason: string | null
    note: string | null
    priority: number
    depth: number
    after: string
    deadline_at: number | null
    wake_at: number | null
    stopped_by_person: number
    workspace: string
    /** Names that helpers handed over: {documents, tools}. */
    grants: string
    result: string | null
    summary: string | null
    evidence: string | null
    verdict: string | null
    /** What end_task claimed, while watchers look at it. */
    closing: string | null
    /** Times it entered closing. */
    rounds: number
    /** Its only child's outcome becomes its own. */
    handover: number
    turns: number
    tokens: number
    cost_micros: number
    unpriced_calls: number
    /** Number of the newest message. */
    messages: number
    /** Number of the newest model call. */
    model_calls: number
    /** Tasks whose parent it is, helpers and watchers too. */
    children: number
    /** Which closing round a watcher belongs to; 0 for other tasks. */
    round: number
    /** Replies without a tool call, in a row. */
    nudges: number
    /** Provider faults in a row. */
    faults: number
    /** A person's wish that the next turn boundary carries out: pause or wrap_up. */
    wish: string | null
    /** 1: pause after each turn. */
    step: number
    attempts: number
    lease_worker: string | null
    /** Fencing token: grows with each claim; a writer with an older one is refused. */
    lease_token: number
    lease_until: number
    /** Where words came from that nobody in the tree wrote: a list. */
    taint: string
    /** Its part of a plan: {ask, items, ran}. */
    plan: string | null
    /** What answers for it in place of the goal's model; null: as the goal says. */
    model: string | null
    /** What the watchdog sees in it, as people are shown it; null: nothing. */
    watch: string | null
    /** What counts as done, as a list; null: nobody said. */
    criteria: string | null
    /** The provider whose limits it waits for; null: for none. */
    held_by: string | null
    created_at: number
    updated_at: number
  }
  /** A provider that takes no calls until `until`, because of its limits. See `core/tasks/holds.ts`. */
  provider_holds: {
    provider: string
    /** Whose quota is used up; another key is another account. */
    account: string
    /** `rate` or `quota`. */
    kind: string
    why: string
    since: number
    until: number
    /** Times that a call tried and met the limit again. */
    rounds: number
    /** The task whose call tries, and when it is given up. */
    probe: string | null
    probe_until: number | null
    /** A call went through: how many steps of letting the others go on were taken. */
    opening: number | null
  }
  messages: { task_id: string; n: number; role: string; body: string; at: number }
  /** What the watchdog remembers of a task that is not over. `seq`: the newest fact it has read of it. `due_at`: it looks then, whatever happens. The row without a task is how far the log is read. */
  watches: { task_id: string; tree_id: string; seq: number; body: string; due_at: number | null }
  /** System prompts by hash, so that a prompt shared by a thousand tasks is stored once. */
  prompts: { hash: string; body: string; at: number }
  calls: {
    id: string
    task_id: string
    n: number
    tool: string
    input: string
    /** asked → begun → ended */
    state: string
    effect: string
    attempts: number
    /** What it waits for: null, `tasks`, `review` or `change`. */
    waits: string | null
    wait_ids: string | null
    /** A person approved it; the policy is not asked again. */
    approved: number
    begun_at: number | null
    ended_at: number | null
    ok: number | null
  }
  model_calls: {
    task_id: string
    n: number
    tree_id: string
    provider: string
    model: string
    /** reserved → settled */
    state: string
    lease_token: number
    reserved_tokens: number
    reserved_cost_micros: number
    input: number
    output: number
    reasoning: number
    cache_read: number
    cache_write: number
    tokens: number
    cost_micros: number | null
    latency_ms: number
    /** ok, fault, or lost: the process died while it was under way, and its reservation was counted as spent. */
    outcome: string | null
    at: number
  }
  reviews: {
    id: string
    kind: string
    state: string
    tree_id: string
    task_id: string
    call_id: string | null
    title: string
    action: string
    action_hash: string
    risk: string
    created_at: number
    decided_at: number | null
    decision: string | null
    comment: string | null
    decided_by: string | null
    /** Items with the same one ask for the same kind of thing. */
    signature: string | null
    /** Why the policy asks. */
    reason: string | null
    taint: string | null
    /** Always-allows that it could become: a list. */
    offers: string | null
    /** What a person put in the place of the arguments or caps. */
    edit: string | null
    snoozed_until: number | null
    expires_at: number | null
    escalated_at: number | null
  }
  /** What people said may happen without them, or may not. */
  rules: {
    id: string
    verdict: string
    scope: string
    signature: string
    label: string
    tree_id: string | null
    agent: string | null
    tainted: number
    created_by: string
    created_at: number
    expires_at: number | null
    hits: number
    last_hit_at: number | null
    revoked_at: number | null
  }
  events: { seq: number; at: number; tree_id: string | null; fact: string }
  /**
   * Changes of files in a tree's folder, in their order. A hash names what was kept in the content store; null: there was no file, `?`: there
   * was one that is not kept, and `why_not` says why. `path` is relative to the tree's folder.
   */
  file_changes: {
    tree_id: string
    n: number
    task_id: string
    call_id: string
    path: string
    before_hash: string | null
    before_bytes: number | null
    before_mode: number | null
    after_hash: string | null
    after_bytes: number | null
    after_mode: number | null
    why_not: string | null
    /** A person's name; `agent` otherwise. */
    by: string
    at: number
  }
  /** Commands in the background of a task. `id` is the call that started it; `output` is without secrets, its middle left out when long. */
  jobs: {
    id: string
    tree_id: string
    task_id: string
    /** Unique in its task: `job-1`. */
    name: string
    command: string
    cwd: string
    isolation: string
    /** `COLUMNSxROWS`; null: it has none. */
    terminal: string | null
    /** `running` or `ended`. */
    state: string
    /** What ended it, in words; null while it runs. */
    ending: string | null
    exit_code: number | null
    output: string
    /** All that it put out, kept or not. */
    output_bytes: number
    cpu_ms: number | null
    peak_memory_bytes: number | null
    /** More than 1: a restart cut it off and it was begun again. */
    starts: number
    started_at: number
    ended_at: number | null
    /** When the process that runs it last said so. */
    seen_at: number
  }
  /** Searches of the web, answered or not, with their results for as long as an equal one is answered from them. */
  web_searches: {
    id: string
    engine: string
    query: string
    at: number
    task_id: string | null
    results: number
    /** `ok`, `cached`, or the code of the Fault. */
    outcome: string
    hits: string
  }
  /** Pages as they were read. */
  web_pages: {
    url: string
    final_url: string
    title: string
    content_type: string
    text: string
    links: string
    notes: string
    etag: string | null
    last_modified: string | null
    fetched_at: number
    fresh_until: number
  }
  /** Which task read what. */
  web_citations: { task_id: string; id: string; url: string; title: string; fetched_at: number }
  /** Goals to be given again; `body` is as it was saved. */
  templates: { name: string; body: string; author: string; created_at: number; updated_at: number }
  /** Files sent for goals to come; the bytes are in a file named by the id. */
  uploads: { id: string; name: string; type: string; bytes: number; by: string; created_at: number }
  /** Versions of tools that agents made, by what they consist of. `failures`: runs in a row with a fault of the tool's own. */
  made_tools: {
    name: string
    sha: string
    tree_id: string
    task_id: string
    passed: number
    failed: number
    report: string
    test_ms: number
    tested_at: number
    approved_by: string | null
    approved_at: number | null
    failures: number
    runs: number
    broken: string | null
  }
  agents: Entry
  documents: Entry
  tools: Entry
  /** `value` is sealed with a key that is not in the database; `grants` is a list of who may have it. */
  secrets: {
    name: string
    value: string
    description: string
    grants: string
    created_at: number
    updated_at: number
    last_used_at: number | null
  }
  /** `owner` is there from the start and is whoever holds the admin token. `email` was verified, in small letters. */
  users: {
    id: string
    name: string
    email: string | null
    role: string
    created_at: number
    last_login_at: number | null
    disabled_at: number | null
  }
  /** Somebody as a provider knows them; `email` is what it said last. */
  identities: {
    provider: string
    subject: string
    user_id: string
    email: string | null
    created_at: number
    last_used_at: number | null
  }
  /** Browsers that are logged in. `hash` is of the cookie's value; a row that is gone is a session that ended. */
  sessions: {
    id: string
    hash: string
    user_id: string
    /** `link`, `token`, or a provider's id. */
    how: string
    user_agent: string
    created_at: number
    last_seen_at: number
    expires_at: number
  }
  api_tokens: {
    id: string
    hash: string
    user_id: string
    name: string
    /** A list. */
    scopes: string
    created_at: number
    expires_at: number | null
    last_used_at: number | null
    revoked_at: number | null
  }
  /** Logins that were sent to a provider and did not come back yet. Neither state, nonce nor verifier can be had from it. */
  login_attempts: {
    state_hash: string
    provider: string
    browser_hash: string
    return_to: string
    /** Who adds a way to sign in; null: somebody who signs in. */
    link_user_id: string | null
    expires_at: number
  }
  /** `initialize`: the request that began it, replayed after a restart; `subscriptions`: a list of URIs. */
  mcp_sessions: {
    id: string
    principal: string
    initialize: string
    subscriptions: string
    created_at: number
    last_seen_at: number
  }
  /** Programs that called over MCP. `principal`: as of a session. */
  mcp_clients: {
    principal: string
    name: string
    version: string
    protocol: string
    user_id: string
    first_seen_at: number
    last_seen_at: number
  }
  /** Programs of others that claim tasks; each is known by its token's name. `webhook`: told when there is work. */
  outside_agents: {
    name: string
    /** A list. */
    capabilities: string
    description: string
    repository: string | null
    webhook: string | null
    /** Tasks that it may hold at the same time while it is its turn. */
    max_tasks: number
    created_at: number
    last_seen_at: number
  }
  /** Tasks that are worked by outside agents. It is the agent's turn while the task waits as `external`; only then its lease can run out. */
  outside_tasks: {
    task_id: string
    /** What an agent must be able to do to claim it; '': anybody may. */
    capability: string
    agent: string | null
    /** Fencing token of the claim. */
    lease: string | null
    lease_until: number
    /** Number of the newest message that its agent was told. */
    told: number
    /** Claims in a row that ended in silence. */
    lapses: number
    claimed_at: number | null
  }
  /** Calls as outside agents sent them; `call_id` once it is a call of the task. `told`: its answer went out. */
  outside_calls: {
    task_id: string
    n: number
    agent: string
    key: string
    hash: string
    tool: string
    input: string
    call_id: string | null
    told: number
    at: number
    /** An object: what its model used for it, as the agent says; null: it said nothing. */
    usage: string | null
  }
  /** Acts that were sent under a key, by who sent them. */
  act_keys: { by: string; key: string; hash: string; at: number }
  /** Other people's MCP servers. `spec`, `about` and `login` are objects; what is secret in them is in `secrets`. */
  mcp_servers: {
    name: string
    spec: string
    enabled: number
    /** ask, allow or deny. */
    policy: string
    tainted: number
    trusted: number
    about: string | null
    /** Tools that it offered when it was looked at last, taken or not. */
    offered: number
    /** In a row. */
    failures: number
    retry_at: number | null
    problem: string | null
    login: string | null
    created_by: string
    created_at: number
    updated_at: number
  }
  /** `definition` as it was seen last, `approved` as a person took it; `tool` is its name for agents. */
  mcp_tools: {
    tool: string
    server: string
    name: string
    definition: string
    sha: string
    approved: string | null
    approved_sha: string | null
    /** pending, approved, changed, gone or unusable. */
    state: string
    problem: string | null
    policy: string | null
    seen_at: number
  }
  /** `cause`: what made it, beside its author, as an object; null: a person or agent by their own hand, or older than the word. */
  versions: { kind: string; name: string; version: number; body: string; author: string; at: number; cause: string | null }
  /** Changes of the system's own code; see `core/contract/change.ts`. */
  changes: {
    id: string
    kind: string
    state: string
    title: string
    why: string
    evidence: string
    effect: string
    author: string
    tree_id: string | null
    task_id: string | null
    /** The call that waits for its outcome. */
    call_id: string | null
    /** 1: its author had read words that nobody in its tree wrote. */
    tainted: number
    /** The commit as its author made it. */
    submitted: string
    level: number | null
    reasons: string
    note: string | null
    files: string
    /** The main branch as the gates saw it, and the commit and tree that would follow it. */
    base: string | null
    commit_hash: string | null
    tree: string | null
    round: number
    review_id: string | null
    /** What the keeper told of it until its end, as a list of objects. */
    keeper_told: string
    /** The tree and the digest over all gates that the decision is bound to. */
    approved_tree: string | null
    approved_gates: string | null
    decided_by: string | null
    /** The branch that is about to move; written before it does. */
    landing: string | null
    landed: string | null
    join_command: string | null
    reverts: string | null
    created_at: number
    updated_at: number
  }
  /** Each state that a change was in. */
  change_story: { change_id: string; n: number; state: string; note: string | null; at: number }
  /** Files that a person has looked at; `hash`: of the difference that they saw. */
  change_views: { change_id: string; user_id: string; path: string; hash: string; at: number }
  /** What was learnt from the history. `change`, `cases` and `judgement` are objects; `seen`: how many cases it had. */
  lessons: {
    id: string
    state: string
    tool: string
    title: string
    why: string
    change: string
    cases: string
    seen: number
    judgement: string | null
    version: number | null
    decided_by: string | null
    created_at: number
    updated_at: number
  }
  change_gates: {
    change_id: string
    round: number
    n: number
    name: string
    verdict: string
    summary: string
    log: string
    digest: string
    ms: number
    at: number
  }
}
/** `seed_hash`: hash of the seed this version came from; null once a person or an agent changed it. */
type Entry = {
  name: string
  version: number
  description: string
  body: string
  enabled: number
  seed_hash: string | null
  author: string
  updated_at: number
}
