/** A route of an HTTP API: `ANY /api/{proxy+}`, `GET /pets/{id}` or `$default`. */
export interface Route {
  readonly routeKey: string
  /** The function that its integration invokes. */
  readonly functionLogicalId: string
}

/** The route that serves a request, with what its path variables stand for. */
export interface RouteMatch {
  readonly route: Route
  readonly pathParameters: Readonly<Record<string, string>>
}

/**
 * Finds the most specific route, as API Gateway does ("Create routes for HTTP APIs"): a full match before a greedy
 * variable before `$default`, literal segments before variables, a method before ANY. `path` is decoded.
 */
export function findRoute(routes: readonly Route[], method: string, path: string): RouteMatch | undefined {
  const candidates = routes.flatMap((route) => matchRoute(route, method, path) ?? [])
  return candidates.reduce<Candidate | undefined>(
    (best, candidate) => (best && best.rank.localeCompare(candidate.rank) >= 0 ? best : candidate),
    undefined,
  )
}

interface Candidate extends RouteMatch {
  /** A digit for a full match or a greedy one, one per segment, one for the method: the greater text wins. */
  readonly rank: string
}

function matchRoute(route: Route, method: string, path: string): Candidate | undefined {
  if (route.routeKey === '$default') return { route, pathParameters: {}, rank: '' }
  const [wantedMethod, pattern = ''] = route.routeKey.split(' ')
  if (wantedMethod !== 'ANY' && wantedMethod !== method) return undefined
  const matched = matchPath(pattern.split('/').slice(1), path.split('/').slice(1))
  return (
    matched && {
      route,
      pathParameters: matched.parameters,
      rank: matched.rank + (wantedMethod === 'ANY' ? 0 : 1),
    }
  )
}

interface PathMatch {
  readonly parameters: Readonly<Record<string, string>>
  readonly rank: string
}

function matchPath(pattern: readonly string[], segments: readonly string[]): PathMatch | undefined {
  const last = pattern.at(-1) ?? ''
  if (!last.endsWith('+}')) return matchSegments(pattern, segments, '2')
  const before = pattern.length - 1
  const rest = segments.slice(before).join('/')
  const match =
    rest === '' ? undefined : matchSegments(pattern.slice(0, before), segments.slice(0, before), '1')
  return match && { ...match, parameters: { ...match.parameters, [last.slice(1, -2)]: rest } }
}

function matchSegments(
  pattern: readonly string[],
  segments: readonly string[],
  fullness: string,
): PathMatch | undefined {
  if (pattern.length !== segments.length) return undefined
  const variables = pattern.map((wanted) => /^\{(.+)\}$/.exec(wanted)?.[1])
  const fits = segments.every((segment, index) =>
    variables[index] === undefined ? segment === pattern[index] : segment !== '',
  )
  if (!fits) return undefined
  const named = variables.flatMap((variable, index) => (variable ? [[variable, segments[index] ?? '']] : []))
  const rank = variables.map((variable) => (variable === undefined ? '2' : '1')).join('')
  return { parameters: Object.fromEntries(named), rank: fullness + rank }
}
