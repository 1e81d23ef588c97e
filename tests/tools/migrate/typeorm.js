// typeorm.js CONNINFO-JSON DIRECTORY: runs the migrations of a directory, by the real TypeORM.
'use strict'
require('reflect-metadata')
const { DataSource } = require('typeorm')

async function main() {
  const [connection, directory] = process.argv.slice(2)
  const source = new DataSource({ type: 'postgres', ...JSON.parse(connection), migrations: [directory + '/*.js'] })
  await source.initialize()
  try {
    await source.runMigrations()
  } finally {
    await source.destroy()
  }
}
main().catch((error) => {
  console.error(error)
  process.exit(1)
})
