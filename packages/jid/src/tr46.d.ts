declare module 'tr46' {
  interface Options {
    readonly checkHyphens: boolean
    readonly checkBidi: boolean
    readonly checkJoiners: boolean
    readonly useSTD3ASCIIRules: boolean
  }
  export function toASCII(domain: string, options: Options): string | null
  export function toUnicode(domain: string, options: Options): { domain: string; error: boolean }
}

// Not part of the announced surface of the package, hence the exact version in package.json
// and a test that pins what the tables answer.
declare module 'tr46/lib/regexes.js' {
  export const combiningClassVirama: RegExp
  export const validZWNJ: RegExp
  export const bidiDomain: RegExp
  export const bidiS1RTL: RegExp
  export const bidiS2: RegExp
  export const bidiS3: RegExp
  export const bidiS4EN: RegExp
  export const bidiS4AN: RegExp
}
