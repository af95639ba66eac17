/**
 * A tokenizer.json whose tokens are the 256 bytes: byte-level pairs without a pair. Bytes that print stand for
 * themselves, others for letters behind Latin-1, as GPT-2's `bytes_to_unicode` has them.
 */
export function byteTokenizer(): object {
  const prints = (byte: number) =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff)
  let next = 256
  const letters = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(prints(byte) ? byte : next++))
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: "ByteLevel" },
    model: { type: "BPE", vocab: Object.fromEntries(letters.map((letter, byte) => [letter, byte])), merges: [] },
  }
}
