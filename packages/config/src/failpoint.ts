/** Where this process is to die, for tests of its death: `FAILPOINT=name:n` (see Env.failpoint). */
export function failpointFromEnvironment(): string | undefined {
  return process.env.FAILPOINT
}
