import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Server, serve, TOKEN } from '../http/fixture/serve.ts'
import { MODERN } from './fixture/clients.ts'
import { conformance } from './fixture/conformance.ts'
import { declaredIn, mismatchIn } from './param-headers.ts'

describe('a call of a tool that wants an argument in a header', () => {
  let server: Server
  beforeAll(async () => {
    server = await serve({ mcp: conformance(() => server.mcp.notify) })
  })
  afterAll(() => server.stop())

  async function call(
    region: unknown,
    headers: Record<string, string>,
  ): Promise<{ status: number; rpc: Record<string, never>; text: string }> {
    const meta = {
      'io.modelcontextprotocol/protocolVersion': MODERN,
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': {},
    }
    const response = await fetch(`${server.url}/mcp`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': MODERN,
        'mcp-method': 'tools/call',
        'mcp-name': 'test_x_mcp_header',
        ...headers,
      },
      body: JSON.stringify({
        jsonrpc: '2.0',
        id: 'call-1',
        method: 'tools/call',
        params: { name: 'test_x_mcp_header', arguments: { region }, _meta: meta },
      }),
    })
    const text = await response.text()
    return { status: response.status, rpc: JSON.parse(text.startsWith('{') ? text : text.split('data: ').at(-1)!), text }
  }
  const encoded = (text: string) => `=?base64?${Buffer.from(text).toString('base64')}?=`

  test.each([
    ['as it is', 'eu-west', 'eu-west'],
    ['in base64', 'Zürich', encoded('Zürich')],
    ['in base64 although it need not be', 'eu-west', encoded('eu-west')],
  ])('is done when the header says the same %s', async (_, region, header) => {
    const { status, text } = await call(region, { 'mcp-param-region': header })
    expect([status, text]).toEqual([200, expect.stringContaining(`Region ${region}`)])
  })

  test.each([
    ['says another', { 'mcp-param-region': 'us-east' }],
    ['is missing', {}],
    ['is no valid base64', { 'mcp-param-region': '=?base64?%%%?=' }],
    ['is no UTF-8', { 'mcp-param-region': `=?base64?${Buffer.from([0xff, 0xfe]).toString('base64')}?=` }],
    ['says it in other letters', { 'mcp-param-region': 'EU-WEST' }],
  ])('is refused with the error of the protocol when the header %s', async (_, headers: Record<string, string>) => {
    const { status, rpc } = await call('eu-west', headers)
    expect([status, rpc]).toEqual([
      400,
      {
        jsonrpc: '2.0',
        id: 'call-1',
        error: { code: -32_020, message: expect.any(String), data: { mismatch: { header: 'Mcp-Param-Region', body: expect.any(String) } } },
      },
    ])
  })

  test('is refused when Mcp-Name or Mcp-Method say another', async () => {
    const given = { 'mcp-param-region': 'eu-west' }
    for (const wrong of [{ 'mcp-name': 'test_simple_text' }, { 'mcp-method': 'tools/list' }])
      expect(await call('eu-west', { ...given, ...wrong })).toMatchObject({ status: 400, rpc: { error: { code: -32_020 } } })
  })
})

describe('what is compared', () => {
  const schema = {
    type: 'object',
    properties: {
      n: { type: 'integer', 'x-mcp-header': 'N' },
      yes: { type: 'boolean', 'x-mcp-header': 'Yes' },
      at: { type: 'object', properties: { place: { type: 'string', 'x-mcp-header': 'Place' } } },
      plain: { type: 'string' },
    },
  }
  const differs = (given: object, headers: Record<string, string>) => mismatchIn(declaredIn(schema), given, new Headers(headers))?.header

  test('arguments at any depth, and those alone that the schema names', () => {
    expect(declaredIn(schema).map((one) => [one.path.join('.'), one.header])).toEqual([
      ['n', 'Mcp-Param-N'],
      ['yes', 'Mcp-Param-Yes'],
      ['at.place', 'Mcp-Param-Place'],
    ])
    expect(differs({ at: { place: 'here' } }, { 'mcp-param-place': 'there' })).toBe('Mcp-Param-Place')
    expect(differs({ plain: 'x' }, { 'mcp-param-plain': 'y' })).toBeUndefined()
  })
  test('numbers as numbers, yes and no as words', () => {
    expect(differs({ n: 42 }, { 'mcp-param-n': '42.0' })).toBeUndefined()
    expect(differs({ n: 42 }, { 'mcp-param-n': '43' })).toBe('Mcp-Param-N')
    expect(differs({ n: 42 }, { 'mcp-param-n': '0x2a' })).toBe('Mcp-Param-N')
    expect(differs({ yes: false }, { 'mcp-param-yes': 'false' })).toBeUndefined()
  })
  test('nothing of an argument that was left out or is null, whatever its header says', () => {
    expect(differs({ n: null }, { 'mcp-param-n': '7', 'mcp-param-place': 'x' })).toBeUndefined()
  })
})
