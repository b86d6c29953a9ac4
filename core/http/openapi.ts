/** The route table as an OpenAPI 3.1 document. Shapes with a name of their own become components. */
import * as z from 'zod'
import { BODY_LIMIT, Problem, ROUTES, type Route, type RouteName } from '../contract/api.ts'

type Json = Record<string, unknown>

export function openapi(about: { version: string; url: string }): Json {
  const routes = Object.entries(ROUTES) as [RouteName, Route][]
  const shapes = componentsOf(routes)
  const paths: Record<string, Json> = {}
  for (const [name, route] of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operation(name, route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Banyan',
      version: about.version,
      description: `Goals, their trees of tasks, and what people decide. A body is JSON of at most ${BODY_LIMIT} bytes. The live line is the WebSocket /api/live?after=seq.`,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: about.url }],
    security: [{ token: [] }, { session: [] }],
    paths,
    components: {
      schemas: shapes,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'ADMIN_TOKEN, or a token for programs that has the scope in x-scope.' },
        session: { type: 'apiKey', in: 'cookie', name: 'banyan_PORT', description: 'Set by a login link.' },
      },
      responses: { Problem: { description: 'What was wrong, and where it can the mend', content: problemContent } },
    },
  }
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })
const problemContent = { 'application/problem+json': { schema: ref('Problem') } }
/** A shape that has a name is its own component; any other is named after its route. */
const nameOf = (route: RouteName, shape: z.ZodType, role: 'Request' | 'Response'): string =>
  String(shape.meta()?.id ?? `${route[0]!.toUpperCase()}${route.slice(1)}${role}`)

function operation(name: RouteName, route: Route): Json {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, param]) => ({
    name: param,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const content = route.response ? { content: { 'application/json': { schema: ref(nameOf(name, route.response, 'Response')) } } } : {}
  const file = { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } }
  const stream = route.download ? file : name === 'events' ? { 'text/event-stream': { schema: { type: 'string' } } } : {}
  return {
    operationId: name,
    summary: route.summary,
    'x-scope': route.scope,
    tags: [route.path.split('/')[route.path.startsWith('/api/') ? 2 : 1]],
    ...(route.open ? { security: [] } : {}),
    parameters: [
      ...inPath,
      ...(route.query ? queryOf(route.query) : []),
      ...(route.keyed ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 255 } }] : []),
    ],
    ...(route.upload ? { requestBody: { required: true, content: file } } : {}),
    ...(route.request
      ? {
          requestBody: {
            required: !route.optionalBody,
            content: { 'application/json': { schema: ref(nameOf(name, route.request, 'Request')) } },
          },
        }
      : {}),
    responses: {
      [route.status]: {
        description: route.summary,
        ...('content' in content ? { content: { ...content.content, ...stream } } : {}),
      },
      default: { $ref: '#/components/responses/Problem' },
    },
  }
}

function queryOf(query: z.ZodObject): Json[] {
  const { properties = {}, required = [] } = z.toJSONSchema(query, { io: 'input' })
  return Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', required: required.includes(name), schema }))
}

function componentsOf(routes: readonly [RouteName, Route][]): Json {
  const asked = z.registry<{ id: string }>()
  const told = z.registry<{ id: string }>()
  told.add(Problem, { id: 'Problem' })
  for (const [name, { request, response }] of routes) {
    if (request) asked.add(request, { id: nameOf(name, request, 'Request') })
    if (response) told.add(response, { id: nameOf(name, response, 'Response') })
  }
  return { ...convert(asked, 'input'), ...convert(told, 'output') }
}

/** zod keeps named shapes within shapes in a place of their own, and marks each as a document; here all are parts of one. */
function convert(registry: z.core.$ZodRegistry<{ id: string }>, io: 'input' | 'output'): Json {
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // An answer may grow fields; what is asked may not hold unknown ones.
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties
    },
  })
  const { __shared, ...own } = JSON.parse(JSON.stringify(schemas).replaceAll('/__shared#/$defs/', '/')) as Record<string, Json>
  const all = { ...own, ...(__shared?.$defs as Record<string, Json> | undefined) }
  return Object.fromEntries(Object.entries(all).map(([name, { $schema: _schema, $id: _id, id: _name, ...shape }]) => [name, shape]))
}
