import type { RoomFeature } from '@tactus/core'
import { NS_AFFILIATION_VERSIONS } from '../wire.ts'

/** Versions of the lists of affiliations (XEP-0463); they are told where the lists change and where people come in. */
export const affiliationVersions: RoomFeature = {
  name: 'affiliation-versions',
  disco: () => ({ features: [NS_AFFILIATION_VERSIONS] }),
}
