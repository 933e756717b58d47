import { hash } from 'node:crypto'

/** A number from 0 up to, not including, 1. */
export type Draw = () => number

/** Numbers that depend on the seed, the purpose and how many were drawn for that purpose; on nothing else. */
export function seededDraws(seed: number, purpose: string): Draw {
  let drawn = 0
  return () => {
    const digest = hash('sha256', `${seed} ${purpose} ${drawn}`, 'buffer')
    drawn += 1
    return digest.readUInt32BE() / 2 ** 32
  }
}

/** Whether a fault befalls the next call it may befall: true for that share of them, from 0 to 1. */
export function seededChance(seed: number, purpose: string, share: number): () => boolean {
  const draw = seededDraws(seed, purpose)
  return () => draw() < share
}
