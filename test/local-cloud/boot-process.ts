import { bootLocalCloud } from '../../infra/local/boot.ts'

/** Boots the demo app in a process of its own, for the test that kills it: `node boot-process.ts <cdk.out> <data>`. */
const [assembly = '', directory = ''] = process.argv.slice(2)
await bootLocalCloud({
  assembly,
  stack: 'Demo',
  directory,
  httpPort: 0,
  addresses: ['127.0.0.1'],
  onLog: (line) => console.log(line),
})
