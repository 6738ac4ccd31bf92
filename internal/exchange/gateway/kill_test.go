package gateway

const childVariable = "DIWAN_TEST_GATEWAY"

func child() {}
