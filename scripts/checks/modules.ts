import { globSync } from 'node:fs'
import { posix, resolve, sep } from 'node:path'
import {
  isBindingElement,
  isCallExpression,
  isElementAccessExpression,
  isExportDeclaration,
  isExternalModuleReference,
  isIdentifier,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isNewExpression,
  isObjectBindingPattern,
  isPropertyAccessExpression,
  isStringLiteralLikeNode,
  isVariableDeclaration,
  type Node,
  type SourceFile,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { API } from 'typescript/unstable/sync'

/** One import of any kind: static, type-only, re-export, dynamic, `require`, `import('…')` in a type. */
export interface ModuleImport {
  /** Undefined where the name is computed, so that nobody can tell what is imported. */
  readonly specifier: string | undefined
  /** Path from the root, with `/`, for a relative specifier. */
  readonly target: string | undefined
  readonly line: number
}

interface AmbientUse {
  /** `Date.now`, `new Date()`, `Math.random` or `process.env`. */
  readonly name: string
  readonly line: number
}

/** A source file: its path from the root (with `/`), what it imports, what it takes from its surroundings. */
export interface Module {
  readonly path: string
  readonly imports: readonly ModuleImport[]
  readonly ambientUses: readonly AmbientUse[]
}

const SOURCES = '{shared,functions,infra,scripts,test}/**/*.{ts,mts,cts,tsx,js,mjs,cjs,jsx}'
const EXCLUDED = ['**/node_modules/**', '**/dist/**', '**/cdk.out/**', 'test/fixtures/**']
const AMBIENT = new Set(['Date.now', 'Math.random', 'process.env'])

/** Paths of all source files below the root, sorted; built files and test fixtures left out. */
export function findSources(root: string): readonly string[] {
  return globSync(SOURCES, { cwd: root, exclude: EXCLUDED })
    .map((path) => path.replaceAll(sep, '/'))
    .sort()
}

/** Reads every source file with the compiler's own parser; throws when the compiler leaves one out. */
export function readModules(root: string): readonly Module[] {
  const paths = findSources(root)
  if (paths.length === 0) return []
  const files = paths.map((path) => resolve(root, path))
  // Without a library and without following imports the compiler only parses: milliseconds, not seconds.
  const config = resolve(root, 'modules.tsconfig.json')
  const compilerOptions = { noResolve: true, noLib: true, types: [], allowJs: true, module: 'nodenext' }
  const text = JSON.stringify({ compilerOptions, files })
  const api = new API({
    cwd: root,
    fs: {
      readFile: (path) => (path === config ? text : undefined),
      fileExists: (path) => (path === config ? true : undefined),
    },
  })
  try {
    const program = api.updateSnapshot({ openProjects: [config] }).getProject(config)?.program
    return paths.map((path) => {
      const source = program?.getSourceFile(resolve(root, path))
      if (source === undefined) throw new Error(`the compiler did not read ${path}`)
      return readModule(path, source)
    })
  } finally {
    api.close()
  }
}

function readModule(path: string, source: SourceFile): Module {
  const imports: ModuleImport[] = []
  const ambientUses: AmbientUse[] = []
  const visit = (node: Node): void => {
    const line = () => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1
    const imported = importedName(node)
    if (imported !== undefined) {
      const specifier = isStringLiteralLikeNode(imported) ? imported.text : undefined
      imports.push({ specifier, target: targetOf(path, specifier), line: line() })
    }
    for (const name of ambientNames(node)) ambientUses.push({ name, line: line() })
    node.forEachChild(visit)
  }
  visit(source)
  return { path, imports, ambientUses }
}

function targetOf(path: string, specifier: string | undefined): string | undefined {
  if (specifier === undefined || !/^\.\.?(\/|$)/.test(specifier)) return undefined
  return posix.join(posix.dirname(path), specifier)
}

/** The node that names what is imported; undefined for a node that imports nothing. */
function importedName(node: Node): Node | undefined {
  if (isImportDeclaration(node) || isExportDeclaration(node)) return node.moduleSpecifier
  if (isExternalModuleReference(node)) return node.expression
  if (isImportTypeNode(node)) return isLiteralTypeNode(node.argument) ? node.argument.literal : node.argument
  if (!isCallExpression(node)) return undefined
  const callee = node.expression
  const isImport = callee.kind === SyntaxKind.ImportKeyword
  const isRequire = isIdentifier(callee) && callee.text === 'require'
  return isImport || isRequire ? node.arguments[0] : undefined
}

function ambientNames(node: Node): readonly string[] {
  if (isNewExpression(node)) {
    return nameOf(node.expression) === 'Date' && !node.arguments?.length ? ['new Date()'] : []
  }
  if (isCallExpression(node)) return nameOf(node.expression) === 'Date' ? ['new Date()'] : []
  return memberNames(node).filter((name) => AMBIENT.has(name))
}

/** `Object.member` as it is read by a dot, by brackets or by `const { member } = Object`. */
function memberNames(node: Node): readonly string[] {
  if (isPropertyAccessExpression(node)) return [`${nameOf(node.expression)}.${node.name.text}`]
  if (isElementAccessExpression(node)) {
    const member = node.argumentExpression
    return isStringLiteralLikeNode(member) ? [`${nameOf(node.expression)}.${member.text}`] : []
  }
  if (!isVariableDeclaration(node) || !isObjectBindingPattern(node.name) || !node.initializer) return []
  const object = nameOf(node.initializer)
  return node.name.elements
    .filter(isBindingElement)
    .map((element) => `${object}.${nameOf(element.propertyName ?? element.name)}`)
}

/** The name of a global: `Date`, or `globalThis.Date`. */
function nameOf(node: Node | undefined): string | undefined {
  if (node === undefined) return undefined
  if (isIdentifier(node)) return node.text
  return isPropertyAccessExpression(node) && nameOf(node.expression) === 'globalThis'
    ? node.name.text
    : undefined
}
