/**
 * Every page, and the only place to add one: its path, its title, its place in the rail, its key after `g`, what it takes after `?`, and
 * the file that draws it (loaded when it is first needed). The rail, the palette and the sheet of keys are made from this.
 */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, type RouterHistory } from '@tanstack/react-router'
import { BookOpen, Bot, Flag, GitPullRequestArrow, House, ListTree, MonitorCog, Settings2, Wrench } from 'lucide-react'
import { GOAL_STATES } from '../core/contract/goal.ts'
import { LOG_LEVELS } from '../core/contract/log-level.ts'
import type { PageData } from './page-data.ts'

import { DETAIL_SEARCH } from './pages/detail/address.ts'
import { CHANGE_FILTERS } from './pages/evolution/paths.ts'
import { ENTRY_FILTERS, ENTRY_TABS } from './pages/library/filters.ts'
import { queueSearch } from './pages/reviews/queue.ts'
import { SYSTEM_TABS } from './pages/system/tabs.ts'

import { oneOf, parseSearch, texts, writeSearch } from './search.ts'

import { Missing } from './shell/missing.tsx'
import { PageFailed, PageLoading } from './shell/page-states.tsx'
import { Shell } from './shell/shell.tsx'
import { pages } from './words/pages.ts'

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption extends PageData {}
  interface Register {
    router: ReturnType<typeof createPageRouter>
  }
}

const root = createRootRoute({
  component: Shell,
  notFoundComponent: Missing,
})
const at = { getParentRoute: () => root }

const home = createRoute({
  ...at,
  path: '/',
  staticData: { title: pages.home, nav: { group: 'work', icon: House, bar: true }, key: 'h' },
  component: lazyRouteComponent(() => import('./pages/home/home.tsx'), 'Home'),
})
const goals = createRoute({
  ...at,
  path: '/goals',
  staticData: { title: pages.goals, nav: { group: 'work', icon: ListTree, bar: true }, key: 'g' },
  validateSearch: (search: Record<string, unknown>) => ({
    ...texts(search, 'q', 'cursor'),
    ...oneOf(search, 'f', GOAL_STATES),
  }),
  component: lazyRouteComponent(() => import('./pages/goals/goals.tsx'), 'Goals'),
})
const newGoal = createRoute({
  ...at,
  path: '/goals/new',
  staticData: { title: pages.newGoal },
  validateSearch: (search: Record<string, unknown>) => texts(search, 'template', 'from', 'agent'),
  component: lazyRouteComponent(() => import('./pages/goals/new-goal.tsx'), 'NewGoal'),
})
const plan = createRoute({
  ...at,
  path: '/plans/$id',
  staticData: { title: pages.plan },
  component: lazyRouteComponent(() => import('./pages/plan/plan.tsx'), 'PlanPage'),
})
const tree = createRoute({
  ...at,
  path: '/trees/$id',
  staticData: { title: pages.goal },
  validateSearch: (search: Record<string, unknown>) =>
    texts(search, 'task', 'view', 'f', 'q', 'root', 'follow', 'agent', 'tool', 'cost', 'since', 'pin', 'result', ...DETAIL_SEARCH),
  component: lazyRouteComponent(() => import('./pages/tree/tree-page.tsx'), 'TreePage'),
})
const task = createRoute({
  ...at,
  path: '/t/$taskId',
  staticData: { title: pages.task },
  validateSearch: (search: Record<string, unknown>) => texts(search, ...DETAIL_SEARCH),
  component: lazyRouteComponent(() => import('./views/task-link.tsx'), 'TaskLink'),
})
const reviews = createRoute({
  ...at,
  path: '/reviews',
  staticData: { title: pages.reviews, nav: { group: 'work', icon: Flag, bar: true }, key: 'r' },
  validateSearch: queueSearch,
  component: lazyRouteComponent(() => import('./pages/reviews/reviews.tsx'), 'Reviews'),
})
/** Drawn by the queue itself, which stays as it is while another item is opened. */
const review = createRoute({ getParentRoute: () => reviews, path: '$id', staticData: { title: pages.review } })
const rules = createRoute({
  ...at,
  path: '/reviews/rules',
  staticData: { title: pages.rules },
  validateSearch: (search: Record<string, unknown>) => oneOf(search, 'show', ['all']),
  component: lazyRouteComponent(() => import('./pages/reviews/rules.tsx'), 'Rules'),
})

const entries = (search: Record<string, unknown>) => ({ ...texts(search, 'q'), ...oneOf(search, 'f', ENTRY_FILTERS) })
const entry = (search: Record<string, unknown>) => ({
  ...texts(search, 'v', 'compare', 'run', 'with'),
  ...oneOf(search, 'tab', ENTRY_TABS),
})
const agents = createRoute({
  ...at,
  path: '/agents',
  staticData: { title: pages.agents, nav: { group: 'library', icon: Bot }, key: 'a' },
  validateSearch: entries,
  component: lazyRouteComponent(() => import('./pages/library/agents.tsx'), 'Agents'),
})
const agent = createRoute({
  ...at,
  path: '/agents/$id',
  staticData: { title: pages.agent },
  validateSearch: entry,
  component: lazyRouteComponent(() => import('./pages/library/agents.tsx'), 'AgentPage'),
})
const documents = createRoute({
  ...at,
  path: '/documents',
  staticData: { title: pages.documents, nav: { group: 'library', icon: BookOpen }, key: 'd' },
  validateSearch: entries,
  component: lazyRouteComponent(() => import('./pages/library/documents.tsx'), 'Documents'),
})
const document = createRoute({
  ...at,
  path: '/documents/$id',
  staticData: { title: pages.document },
  validateSearch: entry,
  component: lazyRouteComponent(() => import('./pages/library/documents.tsx'), 'DocumentPage'),
})
const tools = createRoute({
  ...at,
  path: '/tools',
  staticData: { title: pages.tools, nav: { group: 'library', icon: Wrench }, key: 't' },
  validateSearch: entries,
  component: lazyRouteComponent(() => import('./pages/library/tools.tsx'), 'Tools'),
})
const tool = createRoute({
  ...at,
  path: '/tools/$id',
  staticData: { title: pages.tool },
  validateSearch: entry,
  component: lazyRouteComponent(() => import('./pages/library/tools.tsx'), 'ToolPage'),
})

const evolution = createRoute({
  ...at,
  path: '/evolution',
  staticData: { title: pages.evolution, nav: { group: 'system', icon: GitPullRequestArrow }, key: 'e' },
  validateSearch: (search: Record<string, unknown>) => ({ ...oneOf(search, 'f', CHANGE_FILTERS), ...texts(search, 'cursor') }),
  component: lazyRouteComponent(() => import('./pages/evolution/evolution.tsx'), 'Evolution'),
})
const change = createRoute({
  ...at,
  path: '/evolution/$id',
  staticData: { title: pages.change },
  validateSearch: (search: Record<string, unknown>) => texts(search, 'gate'),
  component: lazyRouteComponent(() => import('./pages/evolution/change-page.tsx'), 'ChangePage'),
})
const system = createRoute({
  ...at,
  path: '/system',
  staticData: { title: pages.system, nav: { group: 'system', icon: MonitorCog }, key: 's' },
  validateSearch: (search: Record<string, unknown>) => ({
    ...oneOf(search, 'tab', SYSTEM_TABS),
    ...oneOf(search, 'window', ['24h'] as const),
    ...oneOf(search, 'level', LOG_LEVELS),
    ...oneOf(search, 'follow', ['0'] as const),
    ...texts(search, 'table', 'q', 'tree'),
  }),
  component: lazyRouteComponent(() => import('./pages/system/system.tsx'), 'System'),
})
const settings = createRoute({
  ...at,
  path: '/settings',
  staticData: { title: pages.settings, nav: { group: 'system', icon: Settings2 }, key: ',' },
  component: lazyRouteComponent(() => import('./pages/settings/settings.tsx'), 'Settings'),
})
const settingsSection = createRoute({
  ...at,
  path: '/settings/$section',
  staticData: { title: pages.settings },
  validateSearch: (search: Record<string, unknown>) => texts(search, 'server', 'add', 'q', 'f'),
  component: lazyRouteComponent(() => import('./pages/settings/settings.tsx'), 'Settings'),
})

const pageTree = root.addChildren([
  home,
  goals,
  newGoal,
  plan,
  tree,
  task,
  reviews.addChildren([review]),
  rules,
  agents,
  agent,
  documents,
  document,
  tools,
  tool,
  evolution,
  change,
  system,
  settings,
  settingsSection,
])

export function createPageRouter(history?: RouterHistory) {
  return createRouter({
    routeTree: pageTree,
    parseSearch,
    stringifySearch: writeSearch,
    scrollRestoration: true,
    defaultPreload: 'intent',
    defaultPendingComponent: PageLoading,
    defaultErrorComponent: PageFailed,
    ...(history ? { history } : {}),
  })
}
