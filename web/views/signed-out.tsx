/** What somebody sees who has no session: one sentence on how to get one. */
export function SignedOut() {
  return (
    <div className="notice">
      <h1>You are not logged in</h1>
      <p>
        Run <code>npx banyan open</code> in Banyan's checkout and open the link that it prints.
      </p>
      <button type="button" onClick={() => location.reload()}>
        I have logged in
      </button>
    </div>
  )
}
