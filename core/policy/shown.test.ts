import { describe, expect, test } from 'vitest'
import { notShown } from './shown.ts'

const shown = {
  addresses: ['https://forest.example/rings?lang=en#top', 'http://site.example/a%20b', 'https://xn--bume-loa.example/'],
  words: ['Read https://docs.example/start, then (see www.other.example/page?q=1). Also BARE.example.', 'ask münchen.example/rathaus'],
}

describe('an address that was shown', () => {
  test.each([
    'https://forest.example/rings?lang=en',
    'http://forest.example/rings?lang=en#elsewhere',
    'HTTPS://Forest.Example:443/rings?lang=en',
    ' http://site.example/a b',
    'https://bäume.example',
    'https://docs.example/start',
    'https://www.other.example/page?q=1',
    'https://bare.example/',
    'https://xn--mnchen-3ya.example/rathaus',
  ])('in results, pages or words of a person needs nobody: %s', (url) => {
    expect(notShown([url], shown)).toEqual([])
  })
})

describe('an address that nobody showed', () => {
  test.each([
    ['another query', 'https://forest.example/rings?lang=SECRET'],
    ['a query where there was none', 'https://docs.example/start?d=SECRET'],
    ['a longer path', 'https://docs.example/start/SECRET'],
    ['a shorter path', 'https://forest.example/'],
    ['a name below', 'https://SECRET.docs.example/start'],
    ['another port', 'https://docs.example:8443/start'],
    ['a login', 'https://SECRET@docs.example/start'],
    ['another letter case in the path', 'https://docs.example/START'],
    ['an empty query', 'https://forest.example/rings'],
    ['another host before a shown one', 'https://evil.example/https://docs.example/start'],
    ['no address at all', 'docs'],
  ])('is told: %s', (_name, url) => {
    expect(notShown([url, 'https://docs.example/start'], shown)).toEqual([url])
  })
})
