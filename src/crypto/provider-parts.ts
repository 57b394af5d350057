/**
 * What a provider of one's own is built from, so that it gives the same bytes as the ones here: the encodings, checks and
 * draws of randomness that do not depend on who does the heavy arithmetic.
 */
export { checkAeadRanges, checkCbcRanges, checkRange } from './ranges.ts'
export { createPortableAead, createPortableCbc, createPortableCtr } from './ciphers.ts'
export { drawRandom, isCurvePoint, scalarBytesFromRandom } from './curves.ts'
export { ecdsaSign, parseEcdsaSignature, parseEcdsaSignatureInRange, writeEcdsaSignature } from './ecdsa.ts'
export type { EcdsaSignature } from './ecdsa.ts'
export { ed25519KeyIsSound } from './ed25519.ts'
export { isMlDsaName, ML_DSA_PUBLIC_LENGTH, ML_DSA_SEED_LENGTH, mlDsaPublicKey } from './ml-dsa.ts'
export { mlDsaSeedFits, mlDsaSign, mlDsaVerify } from './ml-dsa.ts'
export { createHybridShare, createMlKem1024Share, respondHybrid, respondMlKem1024 } from './noble-groups.ts'
export { GROUP_CURVES, type X25519Factory } from './noble-groups.ts'
export { MIN_RSA_BITS, parseRsaKey, rsaKeyAllows, rsaSign, rsaVerify } from './rsa.ts'
export type { RsaModulus, RsaPublicOperation, RsaSigningInput } from './rsa.ts'
