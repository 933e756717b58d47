import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { moveDate } from './moved-date.ts'
import { moveTimers } from './moved-timers.ts'

// Loaded before a task's program. Its URL says by how much time is moved, the pipe at descriptor 3 of every move.

let offsetMs = Number(new URL(import.meta.url).searchParams.get('offsetMs'))
moveDate(() => offsetMs)
const fireDue = moveTimers(() => offsetMs)

const pipe = new Socket({ fd: 3 })
createInterface({ input: pipe }).on('line', (line) => {
  offsetMs = Number(line)
  fireDue()
})
// It breaks however the local cloud ends, `kill -9` included; the program must not outlive it.
pipe.on('close', () => process.kill(process.pid, 'SIGKILL')).unref()
