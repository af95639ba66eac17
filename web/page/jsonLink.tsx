/** A link that saves a value as the command line's JSON. */
export function JsonLink({ name, value }: { readonly name: string; readonly value: unknown }) {
  return (
    <a
      class="json"
      download={`${name.replaceAll("/", "-")}.json`}
      href={`data:application/json,${encodeURIComponent(JSON.stringify(value))}`}
    >
      JSON
    </a>
  )
}
