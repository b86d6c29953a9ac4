import { describe, expect, test } from 'vitest'
import { type AllowedHost, allowsHost, concernsHost, networkWords, readHost, readHosts, writeHost } from './network.ts'

describe('a host that a command asks for', () => {
  test.each([
    ['registry.npmjs.org', 'registry.npmjs.org'],
    ['GitHub.COM:443', 'github.com:443'],
    ['example.org.', 'example.org'],
    ['*.Example.org', '*.example.org'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['*.example.org:8443', '*.example.org:8443'],
  ])('%s is read as %s', (text, read) => {
    expect(writeHost(readHost(text) as AllowedHost)).toBe(read)
  })

  test.each([
    ['https://example.org', /without https/],
    ['example.org/path', /is no host/],
    ['user@example.org', /is no host/],
    ['*', /is no host/],
    ['*.*.org', /is no host/],
    ['a.*.org', /is no host/],
    ['exa mple.org', /is no host/],
    ['*.org', /whole name/],
    ['localhost', /whole name/],
    ['a..org', /whole name/],
    ['127.0.0.1', /addresses in numbers/],
    ['2130706433', /addresses in numbers/],
    ['0x7f.1', /addresses in numbers/],
    ['[::1]', /is no host/],
    ['example.org:22', /Port 22 is not open to commands; 80, 443, 8080, 8443 are/],
    ['example.org:0', /Port 0/],
    ['example.org:', /is no host/],
  ])('%s is refused', (text, why) => {
    expect(readHost(text)).toMatch(why)
    expect(readHosts(['example.org', text])).toMatch(why)
  })

  test('stands once, in one order, however it was written', () => {
    expect((readHosts(['b.example', 'A.example', 'a.EXAMPLE.', 'b.example:443']) as AllowedHost[]).map(writeHost)).toEqual([
      'a.example',
      'b.example',
      'b.example:443',
    ])
  })

  test('covers its usual ports, or the one it names', () => {
    const hosts = readHosts(['a.example', 'b.example:8443', '*.c.example']) as AllowedHost[]
    const reach = (host: string, port: number) => allowsHost(hosts, host, port)
    expect([reach('a.example', 80), reach('a.example', 443), reach('a.example', 8443), reach('a.example', 22)]).toEqual([
      true,
      true,
      false,
      false,
    ])
    expect([reach('b.example', 8443), reach('b.example', 443)]).toEqual([true, false])
    expect([reach('x.c.example', 443), reach('c.example', 443), reach('xc.example', 443)]).toEqual([true, false, false])
  })
})

test.each([
  ['evil.example', 'evil.example', true],
  ['a.evil.example', 'evil.example', true],
  ['a.evil.example', 'EVIL.example.', true],
  ['notevil.example', 'evil.example', false],
  ['example', 'evil.example', false],
  ['*.evil.example', 'evil.example', true],
  ['*.example.org', 'evil.example.org', true],
  ['*.example.org', 'other.org', false],
  ['xn--bcher-kva.example', 'bücher.example', true],
])('of %s, a rule for %s speaks: %s', (pattern, rule, speaks) => {
  expect(concernsHost(pattern, rule)).toBe(speaks)
})

test('what a command did on the network is one line', () => {
  const one = { host: 'a.example', port: 443, verdict: 'ok', why: null, up: 10, down: 500 } as const
  expect(networkWords({ connections: [], total: 0, up: 0, down: 0 })).toBe('no connections')
  expect(networkWords({ connections: [one], total: 1, up: 10, down: 500 })).toBe(
    '1 connection to a.example:443, 500 bytes down, 10 bytes up',
  )
  const refused = { ...one, host: 'evil.example', verdict: 'refused', why: 'it is not\namong them', up: 0, down: 0 } as const
  expect(networkWords({ connections: [one, refused, one, refused], total: 9, up: 4_200, down: 1_234_567 })).toBe(
    '2 connections to a.example:443, 1.2 MB down, 4.2 kB up; refused: evil.example:443 (2×) (it is not among them); 5 more connections are not told one by one',
  )
})
