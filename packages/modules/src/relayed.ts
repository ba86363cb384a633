import { type Specification, xep } from '@tactus/core'

/**
 * What clients say to each other and no server needs to understand: it is passed on as it is, copied to other resources
 * and kept for those that are away by the rules for messages (XEP-0280 §6.1, XEP-0160 §3).
 */
export const relayed: readonly Specification[] = [
  xep('0085', '2.1', { note: 'Copied; what says nothing else is kept for nobody.' }),
  xep('0184', '1.4.0', { note: 'Copied and kept.' }),
  xep('0308', '1.2.1', { note: 'Copied and kept.' }),
  xep('0333', '1.0.0', { note: 'Copied and kept.' }),
  xep('0353', '0.8.0', { note: 'Copied and kept.' }),
  xep('0364', '0.3.2', { note: 'Copied and kept.' }),
  xep('0380', '0.4.0', { note: 'Copied and kept.' }),
  xep('0428', '0.2.1', { note: 'Copied and kept.' }),
  xep('0444', '0.2.1', { note: 'Copied and kept.' }),
  xep('0461', '0.2.1', { note: 'Copied and kept.' }),
]
