/** Settings of the environment, and every endpoint's own reading of its bodies and queries. */
import { ApiError } from '../../../adapters/http/errors.ts'
import { bindJson } from '../../../adapters/http/json-route.ts'
import type { Endpoint, JsonRoute } from '../../../adapters/http/route.ts'
import { contract } from '../../../adapters/http/v1/contract.ts'
import { ConfigError, parseConfig, type VariableName } from '../../../workers/process/config.ts'
import { rules } from '../../../workers/process/settings.mjs'
import { drawBody } from '../http/bodies.ts'
import { mutateBytes } from '../mutate-bytes.ts'
import { jsonSample, mutateJson } from '../mutate-json.ts'
import { nastyNumbers } from '../nasty.ts'
import { expectThat, target } from '../target.ts'

const settingNames = Object.keys(rules)
const machine = { root: '/tmp', cores: 2 }
const values = [
  ...nastyNumbers,
  ...['', ' ', 'on', 'off', 'auto', 'info', '0.0.0.0', '::', 'localhost', '8080', '65536', '/a.sock', '//a', '../x'],
  ...[
    'postgres://u:p@h:5432/d',
    'postgres:///d?host=/s&user=n',
    'postgres://',
    'redis://h:1/0',
    'redis://[',
    'rediss://h',
  ],
  ...['a'.repeat(16), 'a'.repeat(257), 'a b c d e f g h i j', '张'.repeat(20), '\0', '\n', '%00', '__proto__'],
]

const config = target<{ readonly environment: Record<string, string> }>({
  name: 'config',
  share: 4,
  draw(random) {
    const environment: Record<string, string> = {}
    for (let left = random.below(6); left > 0; left--) {
      const value = random.pick(values)
      environment[random.pick(settingNames)] = random.oneIn(3)
        ? mutateBytes(random, Buffer.from(value)).toString()
        : value
    }
    return { environment }
  },
  run({ environment }) {
    try {
      const read = parseConfig(environment, machine)
      expectThat(
        read.port >= 0 && read.port <= 65_535 && read.threads >= 1 && read.batchMax >= 1,
        'figures within limits',
      )
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      expectThat(error.problems.length >= 1, 'a problem that is named')
      for (const name of ['ADMIN_TOKEN', 'DATABASE_URL', 'REDIS_URL'] satisfies VariableName[]) {
        const secret = environment[name]?.trim() ?? ''
        const isItsOwn =
          secret.length >= 20 && Object.values(environment).filter((v) => v.trim() === secret).length === 1
        expectThat(!isItsOwn || !error.message.includes(JSON.stringify(secret)), 'no secret is quoted')
      }
    }
  },
})

const endpoints: readonly Endpoint[] = Object.values(contract)
const gate = {
  authenticate: () => null,
  attempts: {
    begin: () => ({
      waitSeconds: 0,
      othersDecided: null,
      failed: () => undefined,
      succeeded: () => undefined,
      undecided: () => undefined,
    }),
  },
  now: () => 0,
  bodyBytesMax: 1 << 20,
  checkAnswers: false,
}
const bound = endpoints.map((endpoint) =>
  bindJson({ ...endpoint, handle: (context) => ({ status: 200, body: context.body ?? null }) } as JsonRoute, gate),
)

interface Call {
  readonly endpoint: number
  readonly query: string
  readonly param: string
  readonly body: Uint8Array
}

const endpoint = target<Call>({
  name: 'endpoint',
  share: 6,
  draw(random) {
    const index = random.below(endpoints.length)
    const text = drawBody(random, endpoints[index]!.body)
    const body = random.oneIn(3) ? Buffer.from(text) : mutateJson(random, [jsonSample(text)])
    const query = random.oneIn(3) ? '' : mutateBytes(random, Buffer.from('state=held&limit=5&sku=a&node=b')).toString()
    const param = random.pick(['tmall', 'east', '12-1', 'kuaidi100', '张', '__proto__', '', 'x'.repeat(500), '\ud800'])
    return { endpoint: index, query, param, body }
  },
  async run({ endpoint: index, query, param, body }) {
    const route = endpoints[index]!
    const params = Object.fromEntries([...route.path.matchAll(/\{(\w+)\}/g)].map((found) => [found[1]!, param]))
    const request = {
      ...{ method: route.method, params, query, contentType: '', authorization: '', remoteAddress: '', requestId: '1' },
      signal: () => new AbortController().signal,
      abort: () => undefined,
    }
    try {
      const answer = await bound[index]!.respond(request, null, body)
      expectThat(answer.status === 200, 'an answer')
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      expectThat(error.status === 400, `the caller's fault: ${error.code}`)
      expectThat(error.message.length < 2_000, 'a short message')
    }
  },
})

export const contractTargets = [config, endpoint]
