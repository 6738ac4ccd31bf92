// One line of JSON on standard output for each check, which the Go test reads.
export const say = (line) => process.stdout.write(JSON.stringify(line) + '\n')

// check runs one check and says how it went; what it returns is passed on.
export async function check(name, work) {
	try {
		const out = await work()
		say({ name })
		return out
	} catch (e) {
		say({ name, error: String(e?.stack ?? e).slice(0, 2000) })
		return undefined
	}
}

export function must(condition, words) {
	if (!condition) throw new Error(words)
}

// input reads the one line of JSON that says what to do.
export async function input() {
	let text = ''
	for await (const piece of process.stdin) text += piece
	return JSON.parse(text)
}
