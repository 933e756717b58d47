import type { CertificateStore, StoredCertificate } from '../../certificate/certificate-store.ts'
import { changeItem, getItem, type Table } from './dynamo.ts'
import { keys } from './table.ts'

/** The installation's certificate in DynamoDB, its key sealed. */
export function dynamoCertificateStore(table: Table): CertificateStore {
  return {
    async read() {
      const item = await getItem(table, keys.certificate())
      return item && ({ certificate: item.certificate, sealedKey: item.sealedKey } as StoredCertificate)
    },

    async replace(before, { certificate, sealedKey }) {
      const change = {
        key: keys.certificate(),
        update: 'SET #certificate = :certificate, #sealedKey = :sealedKey',
        condition: before ? '#certificate = :before' : 'attribute_not_exists(#certificate)',
        values: { certificate, sealedKey, ...(before && { before: before.certificate }) },
      }
      return (await changeItem(table, change, (item) => item.certificate === certificate)) !== undefined
    },
  }
}
