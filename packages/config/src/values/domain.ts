import { z } from 'zod'

/** The name of a host, or of another server's. */
export const domainName = z
  .string()
  .regex(/^[^\s@/"'<>&:]{1,1023}$/u, 'a domain such as example.org')
