/** Every dial of any address arrives at one listener here, so a single connection is a hole in the guard. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { refusedAddress } from './address.ts'
import { type Internet, internet, PUBLIC } from './fixture/internet.ts'

const signal = new AbortController().signal
const who = { taskId: null }
const INSIDE = ['127.0.0.1', '10.0.0.5', '172.16.0.1', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0', '224.0.0.1']

/** One inner address in the spellings that URL parsers and sockets take. */
function spellings(address: string): string[] {
  const [a, b, c, d] = address.split('.').map(Number) as [number, number, number, number]
  const whole = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
  const hex = (n: number, width = 2) => n.toString(16).padStart(width, '0')
  const v6 = `${hex(a)}${hex(b)}:${hex(c)}${hex(d)}`
  const wide = [...address].map((letter) => (letter === '.' ? '。' : String.fromCodePoint(0xff10 + Number(letter)))).join('')
  return [
    address,
    `${address}.`,
    String(whole),
    `0x${hex(whole, 8)}`,
    `0${whole.toString(8)}`,
    `0x${hex(a)}.0x${hex(b)}.0x${hex(c)}.0x${hex(d)}`,
    `0${a.toString(8)}.0${b.toString(8)}.0${c.toString(8)}.0${d.toString(8)}`,
    `00000${a.toString(8)}.${b}.${c}.${d}`,
    `${a}.${b}.${(c << 8) | d}`,
    `${a}.${(b << 16) | (c << 8) | d}`,
    `0x${hex(a)}.${(b << 16) | (c << 8) | d}`,
    wide,
    address.replaceAll('.', '%2e'),
    `[::ffff:${address}]`,
    `[::ffff:${v6}]`,
    `[0:0:0:0:0:ffff:${v6}]`,
    `[::${address}]`,
    `[64:ff9b::${v6}]`,
    `[64:ff9b:1::${v6}]`,
    `[2002:${v6}::1]`,
    `[::ffff:0:${v6}]`,
    `[2001:0:${v6}::1]`,
    `public.example@${address}`,
    `public.example:secret@${address}`,
    `public.example%40${address}`,
    `${address}#@public.example`,
    `${address}?@public.example`,
    `${address}/public.example`,
    `public.example&@${address}`,
    `${address}\\@public.example`,
    `${address}%00.public.example`,
  ]
}
const OTHERS = [
  'http://localhost/',
  'http://LOCALHOST/',
  'http://localhost./',
  'http://app.localhost/',
  'http://localhost.localdomain/',
  'http://ⓛocalhost/',
  'http://metadata/',
  'http://metadata.google.internal/',
  'http://instance-data/latest/meta-data/',
  'http://printer.local/',
  'http://nas.lan/',
  'http://router.home.arpa/',
  'http://wiki.corp/',
  'http://intranet/',
  'http://[::]/',
  'http://[::1]/',
  'http://[0000::1]/',
  'http://[::1%25lo]/',
  'http://[fe80::1]/',
  'http://[fe80::1%25eth0]/',
  'http://[fe80::1%eth0]/',
  'http://[fec0::1]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/',
  'http://[ff02::1]/',
  'http://[100::1]/',
  'http://[2001:db8::1]/',
  'http://[3fff::1]/',
  'http://[5f00::1]/',
  'http://0/',
  'http://127.1/',
  'http://127.0.1/',
  'http://0x7f.1/',
  'http://①②⑦.⓪.⓪.①/',
  'http://192.0.0.192/',
  'http://168.63.129.16/',
  'http://100.100.100.200/',
  'http://198.18.0.1/',
  'http://192.0.2.1/',
  'http://198.51.100.1/',
  'http://203.0.113.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://public.example:22/',
  'http://public.example:25/',
  'http://public.example:6379/',
  'http://public.example:0/',
  'ftp://public.example/',
  'file:///etc/passwd',
  'file://public.example/etc/passwd',
  'gopher://public.example/_x',
  'data:text/html,hello',
  'javascript:alert(1)',
  'blob:https://public.example/1',
  'view-source:http://public.example/',
  'jar:http://public.example!/',
  'dict://public.example/',
  'ldap://public.example/',
  'unix:/var/run/docker.sock',
  'http://user@public.example/',
  'http://:secret@public.example/',
  'http://public.example\\@127.0.0.1/',
  'http:/\t/127.0.0.1/',
  'http://public.example\r\nHost: 127.0.0.1/',
  '//127.0.0.1/',
  '127.0.0.1',
  'http://',
  'http:///',
  'http://.../',
  'http://a..example/',
  `http://${'a.'.repeat(1_200)}example/`,
]
const FORMS = [...new Set([...INSIDE.flatMap((address) => spellings(address).map((host) => `http://${host}/`)), ...OTHERS])]

let net: Internet
/** Answers of the name server, used up one by one; the last one stays. */
const names = new Map<string, string[][]>()
let lookups = 0
beforeAll(async () => {
  net = await internet(
    {
      'public.example': (request, response) => {
        const to = new URL(request.url!, 'http://public.example').searchParams.get('to')
        if (to === null) response.writeHead(request.url === '/robots.txt' ? 404 : 200, { 'content-type': 'text/plain' }).end('public')
        else response.writeHead(302, { location: to }).end()
      },
    },
    {
      resolve: async (host) => {
        lookups++
        if (host === 'public.example') return [{ address: PUBLIC, family: 4 }]
        const answers = names.get(host)
        const now = answers && answers.length > 1 ? answers.shift() : answers?.[0]
        if (!now) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
        return now.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
      },
    },
  )
})
afterAll(() => net.end())

test(`${FORMS.length} ways to write an inner or foreign address open no connection`, async () => {
  expect(FORMS.length).toBeGreaterThanOrEqual(120)
  const before = net.connections()
  const passed: string[] = []
  for (const form of FORMS)
    await net.web.fetch(form, { who }, signal).then(
      () => passed.push(form),
      (error: Error) => expect(`${form} ${error.name}`).toBe(`${form} Fault`),
    )
  expect(passed).toEqual([])
  expect(net.connections() - before).toBe(0)
})

test('the same ways as the target of a redirect open none beyond the first site', async () => {
  const targets = FORMS.filter((form) => /^[\x21-\x7e]+$/.test(form) && form.length < 500 && URL.canParse(form))
  expect(targets.length).toBeGreaterThanOrEqual(120)
  let redirected = 0
  for (const form of targets) {
    net.dialled.length = 0
    const way = await net.web.fetch(`http://public.example/?to=${encodeURIComponent(form)}`, { who }, signal).catch((error: Error) => error)
    // A backslash is a slash to the URL standard, so some of these lead back to the site itself.
    if (new URL(form).host !== 'public.example') expect(way, form).toMatchObject({ name: 'Fault' })
    expect(
      net.dialled.filter((address) => address !== PUBLIC),
      form,
    ).toEqual([])
    redirected++
  }
  expect(redirected).toBe(targets.length)
  expect(net.asked().every((place) => place.startsWith('public.example/'))).toBe(true)
})

test('a public address is reached, so the counts above could have failed', async () => {
  const before = net.connections()
  expect((await net.web.fetch('http://public.example/', { who }, signal)).text).toBe('public')
  expect(net.connections()).toBeGreaterThan(before)
})

describe('a name', () => {
  const inner = [
    ...INSIDE,
    '::1',
    '::',
    '::ffff:127.0.0.1',
    'fe80::1',
    'fe80::1%lo',
    'fd00::1',
    '64:ff9b::7f00:1',
    '2002:7f00:1::',
    '::7f00:1',
  ]

  test.each(inner)('that resolves to %s is refused before anything is dialled', async (address) => {
    names.set('inner.example', [[address]])
    const before = net.connections()
    await expect(net.web.fetch('http://inner.example/', { who }, signal)).rejects.toThrow('not on the public web')
    expect(net.connections()).toBe(before)
  })

  test.each(inner)('that has a public address and %s is refused whole', async (address) => {
    for (const both of [
      [PUBLIC, address],
      [address, PUBLIC],
    ]) {
      names.set('both.example', [both])
      const before = net.connections()
      await expect(net.web.fetch('http://both.example/', { who }, signal)).rejects.toThrow('not on the public web')
      expect(net.connections()).toBe(before)
    }
  })

  test('whose server answers differently the second time is dialled at the address that was checked, asked once a connection', async () => {
    for (const [i, address] of inner.entries()) {
      names.set(`rebind${i}.example`, [[PUBLIC], [address]])
      net.dialled.length = 0
      lookups = 0
      // The first connection, for robots.txt, still finds the public address; by the second the name server has turned.
      await expect(net.web.fetch(`http://rebind${i}.example/`, { who }, signal)).rejects.toThrow('not on the public web')
      expect(net.dialled, address).toEqual([PUBLIC])
      expect(lookups, address).toBe(2)
    }
  })

  test('without an address is told as such', async () => {
    await expect(net.web.fetch('http://nowhere.example/', { who }, signal)).rejects.toThrow('nowhere.example has no address')
  })
})

test('addresses of the public internet pass', () => {
  for (const address of [
    '1.1.1.1',
    '8.8.8.8',
    '93.184.216.34',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '2606:4700::1111',
    '2a00:1450::1',
  ])
    expect(refusedAddress(address), address).toBeNull()
})
