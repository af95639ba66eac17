import { type ChildProcess, execFile, spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { chmod, mkdir, writeFile } from "node:fs/promises"
import { createServer } from "node:net"
import { hostname, userInfo } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { promisify } from "node:util"
import { isInstalled } from "../isInstalled.js"

/** A Slurm of this machine alone, started for a test. */
export interface SlurmCluster {
  /** What its commands need in their environment. */
  readonly env: Readonly<Record<string, string>>
  /** Runs one of its commands. */
  command(program: string, ...words: string[]): Promise<string>
  /** Ends all that was started. */
  stop(): Promise<void>
}

/** Where Debian has daemons. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`

/** Whether Debian's Slurm is here; told once if it is not. @throws Error if REQUIRE_SLURM is set and it is not. */
export function hasSlurm(): boolean {
  const missing = ["munged", "slurmctld", "slurmd", "sbatch"].filter(
    (program) => !["", "/usr/sbin/"].some((folder) => isInstalled(`${folder}${program}`, "--version")),
  )
  if (missing.length === 0) return true
  const text = `no ${missing.join(", ")}: apt-get install --no-install-recommends munge slurmctld slurmd slurm-client`
  if (process.env.REQUIRE_SLURM) throw new Error(text)
  process.stderr.write(`tests on a cluster are skipped: ${text}\n`)
  return false
}

/** Starts a cluster of one node whose every file lies in a folder, without systemd, and waits until it takes jobs. */
export async function startSlurm(folder: string): Promise<SlurmCluster> {
  const at = (name: string) => join(folder, name)
  const socket = at("munge/socket")
  for (const name of ["munge", "state", "spool"]) await mkdir(at(name))
  await chmod(folder, 0o755)
  await chmod(at("munge"), 0o755)
  await writeFile(at("munge/key"), randomBytes(128), { mode: 0o400 })
  await writeFile(at("slurm.conf"), await configuration(at, socket))
  const env = { SLURM_CONF: at("slurm.conf"), PATH }
  const children: ChildProcess[] = []
  const start = (program: string, ...words: string[]) => {
    const child = spawn(program, words, { env: { ...process.env, ...env }, stdio: "ignore" })
    children.push(child)
    return child
  }
  const command = async (program: string, ...words: string[]) =>
    (await promisify(execFile)(program, words, { env: { ...process.env, ...env } })).stdout
  const stop = async () => {
    for (const child of children.reverse()) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      child.kill("SIGTERM")
      const late = setTimeout(() => child.kill("SIGKILL"), 5000)
      await once(child, "exit")
      clearTimeout(late)
    }
  }
  const places = ["key", "pid", "log", "seed"].map((name) => `--${name}-file=${at(`munge/${name}`)}`)
  start("munged", "--foreground", "--force", ...places, `--socket=${socket}`)
  start("slurmctld", "-D", "-f", env.SLURM_CONF)
  start("slurmd", "-D", "-f", env.SLURM_CONF, "-N", "node")
  for (let tries = 0; ; tries++) {
    const state = await command("sinfo", "--noheader", "--format", "%T").catch((error) => String(error))
    if (state.trim() === "idle") return { env, command, stop }
    if (tries === 150) {
      await stop()
      throw new Error(`Slurm did not start: ${state} (logs in ${folder})`)
    }
    await pause(200)
  }
}

/** A node of four processors, whatever the machine has; no accounting. */
async function configuration(at: (name: string) => string, socket: string): Promise<string> {
  const [controller, node] = [await freePort(), await freePort()]
  const host = hostname().split(".")[0]
  const user = userInfo().username
  return `ClusterName=test
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=${user}
SlurmdUser=${user}
SlurmctldPort=${controller}
SlurmdPort=${node}
AuthType=auth/munge
AuthInfo=socket=${socket}
CredType=cred/munge
StateSaveLocation=${at("state")}
SlurmdSpoolDir=${at("spool")}
SlurmctldPidFile=${at("slurmctld.pid")}
SlurmdPidFile=${at("slurmd.pid")}
SlurmctldLogFile=${at("slurmctld.log")}
SlurmdLogFile=${at("slurmd.log")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=1
SchedulerParameters=sched_interval=1,sched_min_interval=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
NodeName=node NodeHostname=${host} NodeAddr=127.0.0.1 CPUs=4
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, "close")
  return port
}
