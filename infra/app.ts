import { join } from 'node:path'
import { App, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import cdk from '../cdk.json' with { type: 'json' }
import { bundleFunctions } from './bundle.ts'
import { PosternStack } from './stack.ts'

interface AppOptions {
  /** Where the cloud assembly goes; a temporary directory if not given. */
  readonly outdir?: string
  /** Where {@link bundleFunctions} put its bundles. */
  readonly bundles: string
  /** Whether `synth()` throws on what CloudFormation would refuse or AWS Solutions advises against. */
  readonly validate: boolean
  /** Context beyond that of cdk.json, such as `egress`. */
  readonly context?: Readonly<Record<string, string>>
}

const description = 'Postern, a mail server for applications'

/** The CDK app: one stack, `Postern`, without account and region. */
export function buildApp({ outdir, bundles, validate, context }: AppOptions): App {
  const app = new App({
    ...(outdir === undefined ? {} : { outdir }),
    // The CLI would hand these over; read here, every way to synthesize gives the same template.
    context: { ...cdk.context, ...context },
    analyticsReporting: false,
    autoSynth: false,
    treeMetadata: validate,
    stackTraces: validate,
    builtinCloudFormationValidation: validate,
  })
  new PosternStack(app, 'Postern', { bundles, description })
  if (validate) Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  return app
}

if (import.meta.main) await main()

async function main(): Promise<void> {
  const root = join(import.meta.dirname, '..')
  const bundles = join(root, 'dist')
  // Set by the CLI when it wants the assembly elsewhere (`cdk --output`).
  const outdir = process.env.CDK_OUTDIR ?? join(root, 'cdk.out')
  try {
    await bundleFunctions(bundles)
    buildApp({ outdir, bundles, validate: true }).synth()
    console.log(`Synthesized Postern to ${outdir}`)
  } catch (error) {
    // The findings are on stderr already, by the validation itself or by esbuild.
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
